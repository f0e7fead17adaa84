import { useQuery } from "@tanstack/react-query";
import { ListFilter } from "lucide-react";
import { useState } from "react";
import { Button as AriaButton, Dialog, DialogTrigger, Form, Popover } from "react-aria-components";

import type { Schemas } from "@/api/client";
import { raw } from "@/api/client";
import { Button } from "@/parts/Button";
import { Checkbox, Select, TextField } from "@/parts/Fields";
import { ProblemBox, Waiting } from "@/parts/Notices";
import { count, number } from "@/format";

import { type Condition, isNumeric, OPERATOR_WORDS } from "./shown";

type Operator = NonNullable<Condition["operator"]>;
const VALUELESS = new Set<Operator>(["missing", "present"]);
const OF_TEXT: Operator[] = ["in", "eq", "ne", "contains", "starts", "missing", "present"];
const OF_NUMBERS: Operator[] = ["eq", "ne", "lt", "le", "gt", "ge", "missing", "present"];

interface Props {
  base: string;
  table: string;
  column: Schemas["ColumnOut"];
  now: Condition | undefined;
  onChange: (condition: Condition | null) => void;
}

/** The filter of a column: its most frequent values to tick, or a comparison. */
export function FilterButton(props: Props) {
  return (
    <DialogTrigger>
      <AriaButton
        aria-label={`Filter ${props.column.name}`}
        className={`rounded p-1 hover:bg-accent-soft ${props.now ? "text-accent" : "text-muted"}`}
      >
        <ListFilter aria-hidden className="size-4" strokeWidth={props.now ? 3 : 2} />
      </AriaButton>
      <Popover className="panel w-80 max-w-[calc(100vw-1.5rem)] shadow-lg" placement="bottom start">
        <Dialog aria-label={`Filter ${props.column.name}`} className="p-4 outline-none">
          {({ close }) => <Filter {...props} close={close} />}
        </Dialog>
      </Popover>
    </DialogTrigger>
  );
}

function Filter({ base, table, column, now, onChange, close }: Props & { close: () => void }) {
  const numeric = isNumeric(column.type);
  const operators = numeric ? OF_NUMBERS : OF_TEXT;
  const [operator, setOperator] = useState<Operator>(now?.operator ?? operators[0]!);
  const [value, setValue] = useState(now && !Array.isArray(now.value) && now.value != null ? String(now.value) : "");
  const [chosen, setChosen] = useState<string[]>(Array.isArray(now?.value) ? now.value.map(String) : []);
  const summary = useQuery({
    queryKey: ["summary", base, table, column.name],
    staleTime: Infinity,
    queryFn: async () =>
      (await (
        await raw(`${base}/tables/${encodeURIComponent(table)}/columns/${encodeURIComponent(column.name)}`)
      ).json()) as Schemas["ColumnSummary"],
  });

  const apply = () => {
    if (VALUELESS.has(operator)) onChange({ column: column.name, operator });
    else if (operator === "in") onChange(chosen.length ? { column: column.name, operator, value: chosen } : null);
    else if (value.trim() === "") onChange(null);
    else onChange({ column: column.name, operator, value: numeric ? Number(value.replace(",", ".")) : value });
    close();
  };

  return (
    <Form
      onSubmit={(event) => {
        event.preventDefault();
        apply();
      }}
    >
      <p className="font-medium">{column.name}</p>
      {column.label && <p className="text-sm text-muted">{column.label}</p>}
      {summary.data && (
        <p className="numbers mt-1 text-sm text-muted">
          {count(summary.data.distinct, "value")}, {number(summary.data.missing)} missing
          {summary.data.least != null &&
            numeric &&
            `, ${String(summary.data.least)} to ${String(summary.data.greatest)}`}
        </p>
      )}
      <Select
        label="Rows where it"
        className="mt-3"
        options={operators.map((each) => ({ value: each, text: OPERATOR_WORDS[each]! }))}
        value={operator}
        onChange={setOperator}
      />
      {operator === "in" && (
        <div className="mt-2 max-h-56 overflow-y-auto" tabIndex={0} role="group" aria-label="Most frequent values">
          {summary.isPending && <Waiting for="Counting the values" />}
          {summary.isError && <ProblemBox error={summary.error} />}
          {summary.data?.top
            .filter((pair) => pair[0] !== null && pair[0] !== "")
            .map((pair) => {
              const text = String(pair[0]);
              return (
                <Checkbox
                  key={text}
                  label={
                    <>
                      <span className="break-all">{text}</span>{" "}
                      <span className="numbers text-sm text-muted">{number(Number(pair[1]))}</span>
                    </>
                  }
                  isSelected={chosen.includes(text)}
                  onChange={(on) => setChosen((all) => (on ? [...all, text] : all.filter((each) => each !== text)))}
                />
              );
            })}
        </div>
      )}
      {operator !== "in" && !VALUELESS.has(operator) && (
        <TextField label="Value" isRequired autoFocus className="mt-3" value={value} onChange={setValue} />
      )}
      <div className="mt-4 flex justify-end gap-2">
        {now && (
          <Button
            onPress={() => {
              onChange(null);
              close();
            }}
          >
            Remove
          </Button>
        )}
        <Button type="submit" look="primary">
          Apply
        </Button>
      </div>
    </Form>
  );
}
