"""Whether things answer: a web address, the database and who is connected to it."""

import asyncio
import time

import psycopg


async def http_answers(host: str, port: int, path: str = "/-/health") -> bool:
    """Whether `GET path` is answered with 200 within three seconds."""
    try:
        reader, writer = await asyncio.wait_for(asyncio.open_connection(host, port), 3)
        try:
            writer.write(
                f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()
            )
            line = await asyncio.wait_for(reader.readline(), 3)
            return line.split(b" ")[1:2] == [b"200"]
        finally:
            writer.close()
    except (OSError, TimeoutError):
        return False


async def port_taken(host: str, port: int) -> bool:
    """Whether somebody listens on the port already."""
    try:
        server = await asyncio.start_server(lambda reader, writer: None, host, port)
    except OSError:
        return True
    server.close()
    await server.wait_closed()
    return False


class DatabaseWatch:
    """Asks the database at most once a second whether it is there and who works with it."""

    def __init__(self, dsn: str) -> None:
        self.answering = False
        self.sessions: frozenset[str] = frozenset()
        self._dsn = dsn
        self._asked = 0.0
        self._connection: psycopg.AsyncConnection | None = None
        self._turn = asyncio.Lock()

    async def look(self) -> bool:
        async with self._turn:
            if time.monotonic() - self._asked >= 0.5:
                try:
                    await asyncio.wait_for(self._ask(), 5)
                except (psycopg.Error, OSError, TimeoutError):
                    self.answering, self.sessions = False, frozenset()
                    await self.close()
                self._asked = time.monotonic()
        return self.answering

    async def has_session(self, name: str) -> bool:
        return await self.look() and name in self.sessions

    async def _ask(self) -> None:
        if self._connection is None:
            self._connection = await psycopg.AsyncConnection.connect(
                self._dsn, autocommit=True, connect_timeout=3, application_name="onsil supervisor"
            )
        rows = await self._connection.execute(
            "SELECT DISTINCT application_name FROM pg_stat_activity"
            " WHERE datname = current_database()"
        )
        self.sessions = frozenset([name async for (name,) in rows])
        self.answering = True

    async def close(self) -> None:
        if self._connection is not None:
            connection, self._connection = self._connection, None
            await connection.close()
