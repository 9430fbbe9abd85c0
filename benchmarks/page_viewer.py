"""A viewer of the live page without a browser: it speaks to the dashboard as Streamlit's own page does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect

DRAWN_WITHIN = 60
"""Seconds after which a page that is not drawn fails the measurement."""

NOTICE_EVERY = 4
"""Seconds: the interval of the fragment that looks for collectors; the live part has another one."""


class PageViewer:
    """An open page. received: the bytes that its websocket has brought."""

    def __init__(self, socket: ClientConnection, query: str) -> None:
        self._socket = socket
        self._query = query
        self._page = self._live = ""
        self.received = 0

    async def draw(self) -> None:
        """Have the live part drawn anew, or at first the whole page; returns once it is. Raises
        RuntimeError for a page that shows an exception, TimeoutError for one that is not drawn."""
        await self._socket.send(self._run())
        async with asyncio.timeout(DRAWN_WITHIN):
            while not self._take(await self._socket.recv(decode=False)):
                pass

    def _take(self, sent: bytes) -> bool:
        """Whether this message says that the run has ended."""
        self.received += len(sent)
        message = ForwardMsg.FromString(sent)
        kind = message.WhichOneof("type")
        if kind == "new_session":
            self._page = message.new_session.page_script_hash
        elif kind == "auto_rerun" and message.auto_rerun.interval > NOTICE_EVERY:
            self._live = message.auto_rerun.fragment_id
        elif kind == "delta" and message.delta.new_element.WhichOneof("type") == "exception":
            raise RuntimeError(message.delta.new_element.exception.message)
        return kind == "script_finished"

    def _run(self) -> bytes:
        message = BackMsg()
        message.rerun_script.query_string = self._query
        message.rerun_script.page_script_hash = self._page
        message.rerun_script.fragment_id = self._live
        message.rerun_script.is_auto_rerun = bool(self._live)
        return message.SerializeToString()


@asynccontextmanager
async def open_page(port: int, query: str) -> AsyncIterator[PageViewer]:
    """The live page at this address's query ("site=shop&sort=path"), drawn; it is closed at the end."""
    host = f"127.0.0.1:{port}"
    async with connect(
        f"ws://{host}/_stcore/stream",
        origin=f"http://{host}",  # pyright: ignore[reportArgumentType]
        subprotocols=["streamlit"],  # pyright: ignore[reportArgumentType]
        max_size=None,
    ) as socket:
        viewer = PageViewer(socket, query)
        await viewer.draw()
        yield viewer
