import { X } from "lucide-react";
import { createContext, type ReactNode, useCallback, useContext, useMemo, useRef, useState } from "react";

import { asProblem } from "@/api/problem";

interface Toast {
  id: number;
  text: string;
  bad: boolean;
  action: { text: string; run: () => void } | null;
}

interface Toasts {
  tell: (text: string, action?: Toast["action"]) => void;
  fail: (error: unknown) => void;
}

const Context = createContext<Toasts | null>(null);
const LIFE = 7_000;

/** Short news at the foot of the page: read out by screen readers, gone by themselves, errors stay until closed. */
export function ToastProvider({ children }: { children: ReactNode }) {
  const [toasts, setToasts] = useState<Toast[]>([]);
  const next = useRef(1);

  const close = useCallback((id: number) => setToasts((all) => all.filter((toast) => toast.id !== id)), []);
  const add = useCallback(
    (toast: Omit<Toast, "id">) => {
      const id = next.current++;
      setToasts((all) => [...all.slice(-2), { ...toast, id }]);
      if (!toast.bad) setTimeout(() => close(id), LIFE);
    },
    [close],
  );
  const value = useMemo<Toasts>(
    () => ({
      tell: (text, action = null) => add({ text, bad: false, action }),
      fail: (error) => {
        const problem = asProblem(error);
        add({ text: [problem.message, problem.hint].filter(Boolean).join(" "), bad: true, action: null });
      },
    }),
    [add],
  );

  return (
    <Context value={value}>
      {children}
      <div
        role="region"
        aria-label="News"
        className="pointer-events-none fixed inset-x-3 bottom-3 z-50 flex flex-col items-end gap-2 sm:left-auto sm:w-96"
      >
        {toasts.map((toast) => (
          <div
            key={toast.id}
            role={toast.bad ? "alert" : "status"}
            className={`pointer-events-auto flex w-full items-start gap-2 rounded-lg border bg-surface p-3 shadow-lg ${
              toast.bad ? "border-danger" : "border-edge"
            }`}
          >
            <p className="min-w-0 flex-1 break-words">{toast.text}</p>
            {toast.action && (
              <button
                className="font-medium text-accent underline"
                onClick={() => {
                  toast.action?.run();
                  close(toast.id);
                }}
              >
                {toast.action.text}
              </button>
            )}
            <button
              aria-label="Close"
              className="rounded p-0.5 text-muted hover:text-ink"
              onClick={() => close(toast.id)}
            >
              <X aria-hidden className="size-5" />
            </button>
          </div>
        ))}
      </div>
    </Context>
  );
}

export function useToasts(): Toasts {
  const toasts = useContext(Context);
  if (!toasts) throw new Error("useToasts needs a ToastProvider around it");
  return toasts;
}
