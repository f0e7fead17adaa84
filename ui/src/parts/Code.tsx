import { Check, Copy } from "lucide-react";
import { useState } from "react";

import { Button } from "./Button";

export function CopyButton({ text, label = "Copy" }: { text: string; label?: string }) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    setCopied(true);
    setTimeout(() => setCopied(false), 2000);
  };
  return (
    <Button look="quiet" onPress={() => void copy()}>
      {copied ? <Check aria-hidden className="size-4" /> : <Copy aria-hidden className="size-4" />}
      <span aria-live="polite">{copied ? "Copied" : label}</span>
    </Button>
  );
}

/** Text of a program, with a button that copies it. */
export function Code({ label, text }: { label: string; text: string }) {
  return (
    <figure className="panel overflow-hidden">
      <figcaption className="flex items-center justify-between border-b border-line bg-sunken py-1 pr-1 pl-3.5 text-sm font-medium">
        {label}
        <CopyButton text={text} />
      </figcaption>
      <pre tabIndex={0} aria-label={label} className="overflow-x-auto p-3.5 font-mono text-[0.82rem] leading-relaxed">
        {text}
      </pre>
    </figure>
  );
}
