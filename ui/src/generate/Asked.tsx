import { useState } from "react";
import { stringify } from "yaml";

import { Code } from "@/parts/Code";
import { Select } from "@/parts/Fields";

import { apiCallOf, commandOf, type Document, libraryCallOf } from "./request";

const WAYS = [
  { value: "yaml", text: "Run document (YAML)" },
  { value: "command", text: "Command line" },
  { value: "python", text: "Python library" },
  { value: "api", text: "This service's API" },
];

/** The same request in other words: nothing here is possible by the form only. */
export default function Asked({ document, projectId, datasetId, source }: { document: Document; projectId: string; datasetId: string; source: string }) {
  const [way, setWay] = useState("yaml");
  const text = {
    yaml: () => stringify({ source, ...document, output: "out/" }),
    command: () => commandOf(document, source),
    python: () => libraryCallOf(document, source),
    api: () => apiCallOf(document, location.origin, projectId, datasetId),
  }[way]!();
  return (
    <div>
      <Select label="The same request as" options={WAYS} value={way} onChange={setWay} className="mb-2" />
      <Code label={WAYS.find((each) => each.value === way)!.text} text={text} />
    </div>
  );
}
