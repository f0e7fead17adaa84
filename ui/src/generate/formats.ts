const FORMATS: Record<string, string> = {
  same: "As the source",
  xpt: "SAS transport (XPT)",
  csv: "CSV",
  tsv: "TSV",
  parquet: "Parquet",
  json: "JSON",
  ndjson: "NDJSON",
  "dataset-json": "CDISC Dataset-JSON",
  xlsx: "Excel",
  duckdb: "DuckDB database",
};

export const formatWords = (format: string) => FORMATS[format] ?? format;
