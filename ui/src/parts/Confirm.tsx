import { type ReactNode, useState } from "react";

import { Button } from "./Button";
import { Dialog } from "./Dialog";
import { ProblemBox } from "./Notices";

/** A button for what cannot be undone: says what will be gone, and asks once. */
export function Confirm({
  text,
  title,
  children,
  doing,
  onConfirm,
}: {
  text: ReactNode;
  title: string;
  children: ReactNode;
  doing: string;
  onConfirm: () => Promise<unknown>;
}) {
  const [open, setOpen] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const confirm = async () => {
    setBusy(true);
    setError(null);
    try {
      await onConfirm();
      setOpen(false);
    } catch (failure) {
      setError(failure);
    } finally {
      setBusy(false);
    }
  };
  return (
    <>
      <Button look="danger" onPress={() => setOpen(true)}>
        {text}
      </Button>
      <Dialog title={title} isOpen={open} onClose={() => setOpen(false)}>
        <div className="mb-4">{children}</div>
        {error !== null && <ProblemBox error={error} />}
        <div className="mt-4 flex justify-end gap-2">
          <Button onPress={() => setOpen(false)}>Keep it</Button>
          <Button look="danger" doing={busy && doing} onPress={() => void confirm()}>
            {text}
          </Button>
        </div>
      </Dialog>
    </>
  );
}
