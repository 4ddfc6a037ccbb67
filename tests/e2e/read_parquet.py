"""Run by test_exports.py under .venv-parquet: prints what pyarrow and DuckDB read in a file, as JSON; times are ns.

usage: read_parquet.py FILE [COLUMN...]      all columns unless some are named
"""

import json
import sys

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

path = sys.argv[1]
file = pq.ParquetFile(path)
file.read().validate(full=True)
table = file.read(columns=sys.argv[2:] or None)
types = {f.name: str(f.type) for f in table.schema}
for i, field in enumerate(table.schema):
    if pa.types.is_timestamp(field.type):
        table = table.set_column(i, field.name, table.column(i).cast(pa.int64()))
columns = [
    f"epoch_ns({name})" if kind.startswith("timestamp") else name
    for name, kind in ((f'"{n}"', k) for n, k in types.items())
]
rows = duckdb.sql(f"SELECT {', '.join(columns)} FROM read_parquet('{path}')").fetchall()
json.dump(
    {
        "types": types,
        "groups": file.metadata.num_row_groups,
        "codec": file.metadata.row_group(0).column(0).compression if file.metadata.num_row_groups else None,
        "arrow": table.to_pylist(),
        "duckdb": [dict(zip(types, row, strict=True)) for row in rows],
    },
    sys.stdout,
)
