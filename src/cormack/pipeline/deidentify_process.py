"""A working process of a de-identification, run as a module: pydicom is loaded alone, then the work begins."""

from __future__ import annotations

from cormack.dicom.lean import load_pydicom


def main() -> None:
    """Serve the process that started this one."""
    load_pydicom()
    from cormack.pipeline.deidentify_worker import Worker
    from cormack.pipeline.worker_pool import serve_parent

    serve_parent(Worker)


if __name__ == "__main__":
    main()
