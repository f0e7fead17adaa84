import { useState } from "react";

import { Button } from "@/parts/Button";
import { Dialog } from "@/parts/Dialog";
import { Checkbox } from "@/parts/Fields";
import { useToasts } from "@/parts/Toasts";
import type { TableProfile } from "@/queries";

import { useCorrections } from "@/generate/corrections";
import { useProject } from "@/projects/Project";

/** Says by which columns a row of a table is told apart, where what was found is not right. */
export function KeyButton({ table }: { table: TableProfile }) {
  const { projectId, may } = useProject();
  const { add } = useCorrections(projectId);
  const { tell } = useToasts();
  const [open, setOpen] = useState(false);
  const [columns, setColumns] = useState<string[]>(table.key);
  if (!may("runs.write")) return null;
  return (
    <>
      <Button look="quiet" className="min-h-7 py-0 text-sm" onPress={() => setOpen(true)}>
        Correct the key
      </Button>
      <Dialog title={`Key of ${table.name}`} isOpen={open} onClose={() => setOpen(false)}>
        <p className="mb-3 text-muted">
          The columns that together name a row. They must be unique in the data: learning says which row is not.
        </p>
        <div
          role="group"
          aria-label="Columns of the key"
          tabIndex={0}
          className="grid max-h-72 grid-cols-2 gap-x-4 overflow-y-auto rounded-lg border border-line px-3 py-1.5"
        >
          {table.columns.map((column) => (
            <Checkbox
              key={column.name}
              label={<span className="font-mono text-sm">{column.name}</span>}
              isSelected={columns.includes(column.name)}
              onChange={(on) =>
                setColumns(on ? [...columns, column.name] : columns.filter((each) => each !== column.name))
              }
            />
          ))}
        </div>
        <div className="mt-4 flex justify-end gap-2">
          <Button onPress={() => setOpen(false)}>Cancel</Button>
          <Button
            look="primary"
            isDisabled={columns.join() === table.key.join()}
            onPress={() => {
              add(
                columns.length > 0
                  ? { declare: "key", table: table.name, columns }
                  : { deny: "key", table: table.name },
              );
              tell(`The key of ${table.name}: noted.`);
              setOpen(false);
            }}
          >
            Note it
          </Button>
        </div>
      </Dialog>
    </>
  );
}
