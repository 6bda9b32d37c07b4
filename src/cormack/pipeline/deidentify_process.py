"""A working process of a de-identification, run as a module: pydicom is loaded alone, then the work begins."""

from __future__ import annotations

from cormack.dicom.lean import load_pydicom


def main() -> None:
    """Serve the process that started this one."""
    load_pydicom()
    from cormack.pipeline.deidentify_worker import main as work

    work()


if __name__ == "__main__":
    main()
