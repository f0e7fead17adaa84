import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";

import { Problem } from "@/api/problem";

import { isHidden, type Sent, uploadFiles } from "./upload";

/** How sending ended: a cut line can be taken up again where it broke. */
export type Sending = "sent" | "cut" | "refused";

/** Uploading into a dataset, as a page shows it. */
export function useUpload(projectId: string) {
  const client = useQueryClient();
  const [files, setFiles] = useState<Sent[]>([]);
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const stop = useRef<AbortController | null>(null);

  useEffect(() => {
    if (!busy) return;
    const warn = (event: BeforeUnloadEvent) => event.preventDefault();
    addEventListener("beforeunload", warn);
    return () => removeEventListener("beforeunload", warn);
  }, [busy]);

  const start = async (datasetId: string, given: File[], replace = false): Promise<Sending> => {
    const chosen = given.filter((file) => !isHidden(file));
    stop.current = new AbortController();
    setError(null);
    setBusy(true);
    try {
      await uploadFiles(projectId, datasetId, chosen, replace, stop.current.signal, setFiles);
      setFiles([]);
      return "sent";
    } catch (failure) {
      if (failure instanceof DOMException) setFiles([]);
      else setError(failure);
      return failure instanceof Problem && failure.status === 0 ? "cut" : "refused";
    } finally {
      setBusy(false);
      await client.invalidateQueries({ queryKey: ["project", projectId, "datasets"] });
    }
  };

  return { files, error, busy, start, stop: () => stop.current?.abort() };
}
