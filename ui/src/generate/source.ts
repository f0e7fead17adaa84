import type { Schemas } from "@/api/client";

/** What new subjects are made after: a dataset, or a model without its data. */
export interface Source {
  kind: "dataset" | "model";
  id: string;
  /** The dataset whose analysis tells what can be asked for; null where it is not here. */
  datasetId: string | null;
  name: string;
  subjects: number | null;
  rows: number;
  /** Bytes of the files; 0 where there are none. */
  size: number;
  tables: string[];
  /** Whether the data are here, so that a report can compare with them. */
  comparable: boolean;
}

export function sourcesOf(datasets: Schemas["DatasetOut"][], models: Schemas["ModelOut"][]): Source[] {
  const found: Source[] = [];
  for (const { id, name, latest } of datasets) {
    const inspection = latest?.inspection;
    if (!inspection?.usable) continue;
    const tables = inspection.files.flatMap((file) => file.tables.map((table) => table.domain ?? table.table));
    found.push({
      kind: "dataset",
      id,
      datasetId: id,
      name,
      subjects: inspection.subjects,
      rows: inspection.rows,
      size: latest!.size,
      tables: [...new Set(tables)],
      comparable: true,
    });
  }
  for (const model of models) {
    if (model.job.state !== "done") continue;
    const summary = model.summary as { subjects: number; tables: { table: string }[] } | null;
    const tables = (summary?.tables ?? []).map((each) => each.table.toUpperCase());
    found.push({
      kind: "model",
      id: model.id,
      datasetId: model.dataset_id,
      name: `Model ${model.name}, version ${model.number}`,
      subjects: summary?.subjects ?? null,
      rows: 0,
      size: 0,
      tables,
      comparable: model.dataset_id !== null,
    });
  }
  return found;
}
