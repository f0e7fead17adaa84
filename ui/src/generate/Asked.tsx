import { useState } from "react";
import { stringify } from "yaml";

import { Code } from "@/parts/Code";
import { Select } from "@/parts/Fields";

import type { Source } from "./source";
import { apiCallOf, commandOf, type Document, libraryCallOf, pathOf } from "./request";

const WAYS = [
  { value: "yaml", text: "Run document (YAML)" },
  { value: "command", text: "Command line" },
  { value: "python", text: "Python library" },
  { value: "api", text: "This service's API" },
];

/** The same request in other words: nothing here is possible by the form only. */
export default function Asked({
  document,
  projectId,
  source,
}: {
  document: Document;
  projectId: string;
  source: Pick<Source, "kind" | "id" | "name">;
}) {
  const [way, setWay] = useState("yaml");
  const path = pathOf(source);
  const text = {
    yaml: () => stringify({ [source.kind === "model" ? "model" : "source"]: path, ...document, output: "out/" }),
    command: () => commandOf(document, path, source.kind),
    python: () => libraryCallOf(document, path, source.kind),
    api: () => apiCallOf(document, location.origin, projectId, source),
  }[way]!();
  return (
    <div>
      <Select label="The same request as" options={WAYS} value={way} onChange={setWay} className="mb-2" />
      <Code label={WAYS.find((each) => each.value === way)!.text} text={text} />
    </div>
  );
}
