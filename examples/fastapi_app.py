"""A chat for browsers: whoever opens the page is paired with the next one who does.

::

    pip install fastapi uvicorn websockets
    uvicorn examples.fastapi_app:app        # then http://127.0.0.1:8000, in two windows

Conversations are in memory, unless ``SIMSTORE_URL`` names another store. On one that processes
share, any number of servers serve the same chat, and `chat.py` may sit at the other end. This
is an example of the library: it asks nobody for a password.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Annotated, Any, TypeVar

from fastapi import Depends, FastAPI, Query, Request, Response, WebSocket, WebSocketDisconnect
from fastapi.exceptions import WebSocketException
from fastapi.requests import HTTPConnection
from fastapi.responses import FileResponse, JSONResponse
from pydantic import BaseModel, FiniteFloat, StringConstraints, ValidationError

import simstore
from simstore import BackendError, MessageTransaction, NotFoundError, SimstoreError, Store
from simstore.services import WaitingRoom, ajoin_session

PAGE = Path(__file__).with_name("fastapi_page.html")
ROOM = "bench"
"""The waiting room, the same as in `chat.py`."""

STATUSES = {NotFoundError: 404, ValueError: 422, BackendError: 503}
"""What a client is told of an error. A WebSocket closes with 4000 and the same number."""

T = TypeVar("T")


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Open the store when the server starts, and close it when it has ended."""
    with simstore.connect(os.environ.get("SIMSTORE_URL", "memory://")) as store:
        app.state.store = store
        yield


async def get_store(connection: HTTPConnection) -> Store:
    """The store of the app; tests put theirs here: ``app.dependency_overrides[get_store]``."""
    store: Store = connection.app.state.store
    return store


class Said(BaseModel):
    """What a browser sends."""

    text: Annotated[str, StringConstraints(min_length=1, max_length=2000, pattern=r"\S")]


AnyStore = Annotated[Store, Depends(get_store)]
Name = Annotated[str, Query(min_length=1, max_length=40)]
Since = Annotated[FiniteFloat | None, Query(description="only what was sent after that Unix time")]

app = FastAPI(title="A chat over simstore", lifespan=lifespan)


@app.get("/")
async def page() -> FileResponse:
    """The page for the browser."""
    return FileResponse(PAGE)


@app.get("/sessions/{session_id}/messages")
async def messages(
    session_id: str, store: AnyStore, since: Since = None
) -> list[MessageTransaction]:
    """What was said in a session."""
    session = await ajoin_session(store, session_id)
    return await session.amessages(since)


@app.websocket("/waiting-room")
async def wait(socket: WebSocket, name: Name, store: AnyStore) -> None:
    """Send the match once somebody else has come. Who hangs up before has left the room."""
    await socket.accept()
    match = await first_of(WaitingRoom(store, ROOM).aenter(name), hung_up(socket))
    if match is not None:
        await socket.send_json(match.model_dump())
        await socket.close()


@app.websocket("/sessions/{session_id}")
async def chat(
    socket: WebSocket, session_id: str, name: Name, store: AnyStore, since: Since = None
) -> None:
    """Post what the browser sends, and send it what is posted, by whomever.

    A browser that was cut off gives the time of the last message that it has as `since`.
    """
    await socket.accept()
    session = await ajoin_session(store, session_id)

    async def listen() -> None:
        async for message in session.afollow(since):
            await socket.send_json(message.model_dump())

    async def speak() -> None:
        while True:
            try:
                said = Said.model_validate_json(await socket.receive_text())
            except (ValidationError, KeyError) as error:  # KeyError: bytes, which are no text
                raise WebSocketException(4422, 'send {"text": "…"}, 1 to 2000 letters') from error
            await session.apost(name, said.text)

    await first_of(listen(), speak())


async def hung_up(socket: WebSocket) -> None:
    """Return when the browser has closed `socket`; what it sends before does not matter."""
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass


async def first_of(*coroutines: Coroutine[Any, Any, T]) -> T:
    """What the first of `coroutines` to end returns or raises; the others are cancelled."""
    tasks = [asyncio.ensure_future(coroutine) for coroutine in coroutines]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        return done.pop().result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@app.exception_handler(SimstoreError)
async def tell(connection: Request | WebSocket, error: SimstoreError) -> Response | None:
    """Tell the client of an error of the store."""
    status = next((s for kind, s in STATUSES.items() if isinstance(error, kind)), None)
    if status is None:
        raise error  # no client is to blame, and the log should have it
    if isinstance(connection, WebSocket):
        with suppress(WebSocketDisconnect):
            await connection.close(4000 + status)
        return None
    return JSONResponse({"detail": str(error)}, status)


@app.exception_handler(WebSocketDisconnect)
async def forget(_: WebSocket, __: WebSocketDisconnect) -> None:
    """A browser that is gone need not be told."""
