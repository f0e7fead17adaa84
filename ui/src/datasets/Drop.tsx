import { FolderOpen, Upload } from "lucide-react";
import { useState } from "react";
import { type DirectoryDropItem, DropZone, type FileDropItem, FileTrigger, Text } from "react-aria-components";

import { Button } from "@/parts/Button";

type Entry = FileDropItem | DirectoryDropItem | { kind: "text" };

async function filesIn(entry: Entry): Promise<File[]> {
  if (entry.kind === "file") return [await entry.getFile()];
  if (entry.kind !== "directory") return [];
  const found: File[] = [];
  for await (const inner of entry.getEntries()) found.push(...(await filesIn(inner)));
  return found;
}

/** A place to drop files, a folder or a zip on, with buttons that do the same. */
export function Drop({ onFiles, compact = false }: { onFiles: (files: File[]) => void; compact?: boolean }) {
  const [reading, setReading] = useState(false);
  return (
    <DropZone
      aria-label="Drop files here"
      getDropOperation={() => "copy"}
      onDrop={(event) => {
        setReading(true);
        void Promise.all(event.items.map((item) => filesIn(item as Entry)))
          .then((lists) => onFiles(lists.flat()))
          .finally(() => setReading(false));
      }}
      className={`rounded-xl border-2 border-dashed border-edge text-center data-[drop-target]:border-accent data-[drop-target]:bg-accent-soft ${compact ? "p-4" : "px-4 py-10"}`}
    >
      {!compact && <Upload aria-hidden className="mx-auto mb-2 size-8 text-muted" />}
      <Text slot="label" className={compact ? "block" : "block text-lg font-medium"}>
        {reading ? "Reading the folder…" : "Drop a folder, files or a zip here"}
      </Text>
      {!compact && (
        <p className="mx-auto mt-1 max-w-prose text-muted">
          SAS (XPT, sas7bdat), CSV, TSV, Excel, Parquet, JSON, Dataset-JSON. A define.xml is read too.
        </p>
      )}
      <div className="mt-3 flex flex-wrap justify-center gap-2">
        <FileTrigger allowsMultiple onSelect={(list) => list && onFiles([...list])}>
          <Button>
            <Upload aria-hidden className="size-4" /> Choose files
          </Button>
        </FileTrigger>
        <FileTrigger acceptDirectory onSelect={(list) => list && onFiles([...list])}>
          <Button>
            <FolderOpen aria-hidden className="size-4" /> Choose a folder
          </Button>
        </FileTrigger>
      </div>
    </DropZone>
  );
}
