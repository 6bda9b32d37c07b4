"""The small server behind the page: fixed files of its own, and scans by number. No address holds a path."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from importlib import resources
from importlib.resources.abc import Traversable
from threading import Lock
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from cormack.core.errors import CormackError
from cormack.imaging.windows import WINDOWS
from cormack.viewer.scans import Prepared, prepare
from cormack.viewer.sources import Source, Sources

#: The page may load from here and from nowhere else; NiiVue keeps its font and its colours inside its file.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
MEDIA_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
#: The page holds what it shows, so the server keeps no more scans than lie side by side.
KEPT_SCANS = 2
_PIECE_BYTES = 1 << 22


class Shelf:
    """Scans made ready, each once, the last few kept."""

    def __init__(self, sources: Sources) -> None:
        self.sources = sources
        self._kept: dict[int, Prepared] = {}
        self._locks = [Lock() for _ in sources.scans]

    def take(self, number: int) -> Prepared:
        """A scan made ready; a second caller waits for the first.

        Raises
        ------
        CormackError
            If it cannot be read.
        """
        with self._locks[number]:
            ready = self._kept.pop(number, None) or prepare(self.sources.scans[number])
            self._kept[number] = ready
            for oldest in list(self._kept)[:-KEPT_SCANS]:
                self._kept.pop(oldest, None)
            return ready

    def warm_up(self) -> None:
        """Make ready what the page will show first, before it asks."""
        for number in range(2 if self.sources.paired else 1):
            try:
                self.take(number)
            except CormackError:
                # The page asks again and gets the reason.
                continue


def make_app(sources: Sources, token: str) -> Starlette:
    """The application; every address begins with the token.

    Parameters
    ----------
    sources : Sources
    token : str
        Whoever knows it may look.
    """
    shelf = Shelf(sources)
    files = _page_files()

    def known(handler: Any) -> Any:
        def guarded(request: Request) -> Response:
            if not secrets.compare_digest(request.path_params["token"].encode(), token.encode()):
                return _refused(404, "not found")
            response: Response = handler(request)
            return response

        return guarded

    def page(request: Request) -> Response:
        name = request.path_params.get("name", "index.html")
        if name not in files:
            return _refused(404, "not found")
        suffix = name[name.rfind(".") :]
        content = files[name].read_bytes()
        return Response(content, media_type=MEDIA_TYPES.get(suffix, "application/octet-stream"), headers=HEADERS)

    def scene(request: Request) -> Response:
        windows = [{"name": name, "low": w.limits_hu[0], "high": w.limits_hu[1]} for name, w in WINDOWS.items()]
        scans = [{"name": scan.name} for scan in sources.scans]
        return JSONResponse({"scans": scans, "paired": sources.paired, "windows": windows}, headers=HEADERS)

    def scan(request: Request) -> Response:
        number, part = request.path_params["number"], request.path_params["part"]
        if number >= len(sources.scans) or part not in PARTS:
            return _refused(404, "not found")
        try:
            ready = shelf.take(number)
        except CormackError as error:
            return _unreadable(sources.scans[number], error)
        except MemoryError:
            return _refused(507, f"{sources.scans[number].name}: there is not enough memory for this scan")
        return PARTS[part](ready)

    application = Starlette(
        routes=[
            Route("/{token}/", known(page)),
            Route("/{token}/page/{name}", known(page)),
            Route("/{token}/scene", known(scene)),
            Route("/{token}/scans/{number:int}/{part}", known(scan)),
        ],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"])],
    )
    # An address without its last slash is not found, rather than led on: a redirection would repeat the token.
    application.router.redirect_slashes = False
    application.state.shelf = shelf
    return application


def _page_files() -> dict[str, Traversable]:
    """The files of the page by name: nothing else can be asked for."""
    root = resources.files("cormack.viewer")
    return {
        entry.name: entry for part in ("page", "vendor") for entry in root.joinpath(part).iterdir() if entry.is_file()
    }


def _refused(status: int, words: str) -> Response:
    return JSONResponse({"error": words}, status_code=status, headers=HEADERS)


def _unreadable(source: Source, error: CormackError) -> Response:
    """Why a scan cannot be shown: what reading it says, or that a file has vanished."""
    if all(path.exists() for path in (source.image, *source.labels)):
        return _refused(422, str(error))
    return _refused(404, f"{source.name}: its file, or a file of its labels, is gone since the viewer was started")


def _facts(ready: Prepared) -> Response:
    return JSONResponse(ready.facts, headers=HEADERS)


def _stream(*parts: bytes | memoryview) -> Response:
    def pieces() -> Iterator[bytes | memoryview]:
        for part in parts:
            for start in range(0, len(part), _PIECE_BYTES):
                yield part[start : start + _PIECE_BYTES]

    length = {"Content-Length": str(sum(len(part) for part in parts))}
    return StreamingResponse(pieces(), media_type="application/octet-stream", headers={**HEADERS, **length})


PARTS: dict[str, Callable[[Prepared], Response]] = {
    "facts": _facts,
    "voxels": lambda ready: _stream(*ready.voxels),
    "labels": lambda ready: _stream(ready.labels),
    "preview": lambda ready: _stream(*ready.preview),
    "preview-labels": lambda ready: _stream(ready.preview_labels),
}
