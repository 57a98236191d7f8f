"""Whether two values are the same to the last bit: what "comes back as it was" means."""

import math

from pydantic import BaseModel


def identical(left: object, right: object) -> bool:
    """Whether `left` and `right` are equal, type by type, all the way down.

    ``==`` will not do: to it, 1, 1.0 and True are equal, and so are 0.0 and -0.0.
    """
    if type(left) is not type(right):
        return False
    if isinstance(left, BaseModel) and isinstance(right, BaseModel):
        return all(
            identical(getattr(left, name), getattr(right, name)) for name in type(left).model_fields
        )
    if isinstance(left, float) and isinstance(right, float):
        return left == right and math.copysign(1, left) == math.copysign(1, right)
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(identical(left[k], right[k]) for k in left)
    if isinstance(left, list | tuple) and isinstance(right, list | tuple):
        return len(left) == len(right) and all(
            identical(a, b) for a, b in zip(left, right, strict=True)
        )
    return left == right
