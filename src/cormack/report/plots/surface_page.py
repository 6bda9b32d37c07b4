"""Surfaces as one HTML page to turn, zoom and switch on and off, without a network."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np

from cormack.core.mesh import Mesh
from cormack.imaging.surfaces import decimate
from cormack.report.plots.surface import VIEWS, inked, view_axes

#: Triangles of all surfaces together: with the script of plotly (5 MB) the page stays below 10 MB.
MOST_FACES = 150_000
#: A surface keeps at least so many of them.
LEAST_FACES = 500
_LIGHTING = {"ambient": 0.35, "diffuse": 0.75, "specular": 0.15, "roughness": 0.6, "fresnel": 0.05}
#: Distance of the camera in units of the scene, and the scene's colours.
_FAR = 1.9
_PAPER, _TEXT = "#16181d", "#e6e6e6"


def surface_page(
    meshes: Mesh | Sequence[Mesh],
    *,
    title: str = "Surfaces",
    colors: Sequence[str] | None = None,
    faces: int = MOST_FACES,
) -> str:
    """Write surfaces as one self-contained HTML document.

    Parameters
    ----------
    meshes : Mesh or sequence of Mesh
        Each can be switched off in the legend. Decimated together to at most `faces` triangles.
    title : str
    colors : sequence of str, optional
    faces : int

    Raises
    ------
    InputError
        If there is no triangle, or colours and meshes differ in number.
    """
    from plotly import graph_objects as go

    shown, inks = inked(meshes, colors)
    parts = [_part(go, mesh, ink) for mesh, ink in zip(fitted(shown, faces), inks, strict=True)]
    figure = go.Figure(parts)
    axes = {"backgroundcolor": _PAPER, "color": "#888888", "gridcolor": "#33363d", "showspikes": False}
    figure.update_layout(
        title={"text": title, "x": 0.5},
        paper_bgcolor=_PAPER,
        font={"color": _TEXT},
        margin={"l": 0, "r": 0, "t": 48, "b": 0},
        scene={
            "aspectmode": "data",
            "xaxis": {**axes, "title": "right + (mm)"},
            "yaxis": {**axes, "title": "anterior + (mm)"},
            "zaxis": {**axes, "title": "superior + (mm)"},
            "camera": _camera("oblique"),
        },
        updatemenus=[{"type": "buttons", "direction": "right", "x": 0.0, "y": 0.02, "xanchor": "left", "pad": {"l": 10},
                      "bgcolor": "#2a2d34", "showactive": False, "buttons": [
                          {"label": name, "method": "relayout", "args": [{"scene.camera": _camera(name)}]}
                          for name in VIEWS]}],
    )  # fmt: skip
    page: str = figure.to_html(
        include_plotlyjs=True, config={"displaylogo": False}, div_id="surfaces", default_height="100vh"
    )
    head = f"<head><title>{escape(title)}</title><style>body {{ margin: 0; background: {_PAPER}; }}</style>"
    return page.replace("<head>", head, 1)


def fitted(meshes: Sequence[Mesh], faces: int) -> list[Mesh]:
    """The surfaces decimated so that all together have at most about so many faces, each in proportion."""
    total = sum(len(mesh.faces) for mesh in meshes)
    if total <= faces:
        return list(meshes)
    return [decimate(mesh, max(LEAST_FACES, len(mesh.faces) * faces // total)) for mesh in meshes]


def _part(go: object, mesh: Mesh, color: str) -> object:
    x, y, z = np.round(mesh.vertices, 2).astype(np.float32).T
    i, j, k = mesh.faces.T
    return go.Mesh3d(  # type: ignore[attr-defined]
        x=x, y=y, z=z, i=i, j=j, k=k, name=mesh.name, color=color, showlegend=True, flatshading=False,
        lighting=_LIGHTING, lightposition={"x": 1000, "y": 2000, "z": 3000},
        hovertemplate="R %{x:.1f}  A %{y:.1f}  S %{z:.1f} mm<extra>" + mesh.name + "</extra>",
    )  # fmt: skip


def _camera(view: str) -> dict[str, dict[str, float]]:
    """Where the eye stands, and what is up."""
    axes = view_axes(view)
    eye, up = axes[:, 2] * _FAR, axes[:, 1]
    names = ("x", "y", "z")
    return {
        "eye": {n: float(v) for n, v in zip(names, eye, strict=True)},
        "up": {n: float(v) for n, v in zip(names, up, strict=True)},
    }
