"""Judge by dimensions of one's own: they are records, and the store makes models of them."""

from simstore.sotopia import (
    CustomEvaluationDimension,
    CustomEvaluationDimensionList,
    EvaluationDimensionBuilder,
    SotopiaDimensions,
)

wit = CustomEvaluationDimension(name="wit", description="Was it funny?", range_low=0, range_high=10)
calm = CustomEvaluationDimension(
    name="calm", description="Who shouted?", range_low=-5, range_high=5
)
for dimension in [wit, calm]:
    dimension.save()
CustomEvaluationDimensionList(name="style", dimension_pks=[calm.pk, wit.pk]).save()

by_pk = EvaluationDimensionBuilder.build_dimension_model([wit.pk, calm.pk])
by_name = EvaluationDimensionBuilder.select_existing_dimension_model_by_name(["wit"])
by_list = EvaluationDimensionBuilder.select_existing_dimension_model_by_list_name("style")
by_dict = EvaluationDimensionBuilder.build_dimension_model_from_dict(
    [{"name": "speed", "description": "How quick?", "range_low": 1, "range_high": 3}]
)
for model in [by_pk, by_name, by_list, by_dict]:
    print(model.__name__, list(model.model_fields))

scores = by_list(calm=("One voice was raised.", -1), wit=("A fine pun.", 8))
print(scores.calm[1] + scores.wit[1], scores.wit[0])
for value in [11, -1]:
    try:
        by_name(wit=("Far out.", value))
    except ValueError:
        print(value, "is out of range")
seven = EvaluationDimensionBuilder.select_existing_dimension_model_by_list_name("sotopia")
print("Sotopia's own:", seven is SotopiaDimensions, len(seven.model_fields))
for missing in ["no such dimension", "style"]:
    try:
        EvaluationDimensionBuilder.select_existing_dimension_model_by_name([missing])
    except (AssertionError, ValueError):
        print(missing, "is no dimension")
