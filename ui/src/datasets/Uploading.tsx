import { Button } from "@/parts/Button";
import { Notice, ProblemBox } from "@/parts/Notices";
import { Progress } from "@/parts/Progress";
import { bytes, count } from "@/format";

import type { Begun, Sent } from "./upload";

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

/** Files that were cut off before: choosing them again goes on where each stood. */
export function CutOff({ begun }: { begun: Begun[] }) {
  return (
    <div className="mb-3">
      <Notice tone="warning">
        <p className="font-medium">
          {begun.length === 1 ? "An upload was" : `${begun.length} uploads were`} cut off. Choose the same files again,
          all of them: each goes on where it stood.
        </p>
        <ul aria-label="Cut off" className="mt-1 text-sm">
          {begun.map((each) => (
            <li key={each.id} className="numbers">
              {each.name}: {bytes(each.received)} of {bytes(each.size)} are here
            </li>
          ))}
        </ul>
      </Notice>
    </div>
  );
}
