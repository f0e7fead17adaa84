import { Button } from "@/parts/Button";
import { ProblemBox } from "@/parts/Notices";
import { Progress } from "@/parts/Progress";
import { bytes, count } from "@/format";

import type { Sent } from "./upload";

const WORDS = { waiting: "waiting", sending: "sending", sent: "sent", failed: "failed" };

/** How far an upload is, file by file. */
export function Uploading({
  files,
  error,
  busy,
  onStop,
}: {
  files: Sent[];
  error: unknown;
  busy: boolean;
  onStop: () => void;
}) {
  if (files.length === 0 && error === null) return null;
  const size = files.reduce((sum, file) => sum + file.size, 0);
  const sent = files.reduce((sum, file) => sum + file.sent, 0);
  return (
    <div className="panel mt-4 p-4">
      {error !== null && <ProblemBox error={error} />}
      {busy && (
        <div className="flex items-end gap-4">
          <div className="flex-1">
            <Progress
              label={`Sending ${count(files.length, "file")}`}
              value={size ? sent / size : undefined}
              note={`${bytes(sent)} of ${bytes(size)}`}
            />
          </div>
          <Button onPress={onStop}>Stop</Button>
        </div>
      )}
      <ul className="relative mt-3 grid max-h-72 gap-1.5 overflow-y-auto text-sm" aria-label="Files" tabIndex={0}>
        {files.map((file) => (
          <li key={file.key} className="grid grid-cols-[minmax(0,1fr)_6rem_7rem] items-center gap-3">
            <span className="truncate">
              {file.name}
              {file.problem && (
                <span className="block whitespace-normal text-danger">
                  {file.problem.message} {file.problem.hint}
                </span>
              )}
            </span>
            <span aria-hidden className="h-1.5 overflow-hidden rounded-full bg-sunken">
              <span
                className={`block h-full ${file.state === "failed" ? "bg-danger" : "bg-accent"}`}
                style={{ width: `${file.size ? (100 * file.sent) / file.size : 0}%` }}
              />
            </span>
            <span className="numbers text-right text-muted">
              {file.state === "sending" ? `${Math.round((100 * file.sent) / file.size)} %` : WORDS[file.state]} ·{" "}
              {bytes(file.size)}
            </span>
          </li>
        ))}
      </ul>
    </div>
  );
}
