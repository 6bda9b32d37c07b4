"""Head from table, brain from head: masks of a rectified CT volume."""
