import { useState } from "react";
import { Form } from "react-aria-components";

import { Button } from "@/parts/Button";
import { Checkbox, NumberField, Select, TextField } from "@/parts/Fields";
import { ProblemBox } from "@/parts/Notices";
import { formatWords } from "@/generate/formats";
import { STANDARDS } from "@/projects/NewProject";

import { changed, type FieldOf, type Values } from "./settings";

const ROLES = ["viewer", "analyst", "manager", "administrator"].map((value) => ({ value, text: value }));
const FORMATS = ["same", "xpt", "csv", "tsv", "parquet", "json", "ndjson", "dataset-json", "xlsx"].map((value) => ({
  value,
  text: formatWords(value),
}));

interface Props {
  title: string;
  help?: string;
  fields: FieldOf[];
  before: Values;
  tiers: string[];
  fixed: string[];
  readOnly: boolean;
  onSave: (change: Values) => Promise<unknown>;
}

/** One group of settings; only what was changed is sent. */
export function SettingsForm({ title, help, fields, before, tiers, fixed, readOnly, onSave }: Props) {
  const [now, setNow] = useState(before);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const change = changed(before, now);
  const dirty = Object.keys(change).length > 0;
  const save = async () => {
    setBusy(true);
    setError(null);
    try {
      await onSave(change);
    } catch (failure) {
      setError(failure);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Form
      className="panel p-4"
      onSubmit={(event) => {
        event.preventDefault();
        void save();
      }}
    >
      <h2 className="text-base">{title}</h2>
      {help && <p className="mb-3 text-sm text-muted">{help}</p>}
      <div className="mt-3 grid items-start gap-4 sm:grid-cols-2">
        {fields.map((field) => (
          <OneField
            key={field.name}
            field={field}
            value={now[field.name]}
            tiers={tiers}
            isDisabled={readOnly || fixed.includes(field.name)}
            isFixed={fixed.includes(field.name)}
            onChange={(value) => setNow((old) => ({ ...old, [field.name]: value }))}
          />
        ))}
      </div>
      {error !== null && (
        <div className="mt-3">
          <ProblemBox error={error} />
        </div>
      )}
      {!readOnly && (
        <div className="mt-4 flex gap-2">
          <Button type="submit" look="primary" isDisabled={!dirty} doing={busy && "Saving…"}>
            Save
          </Button>
          {dirty && <Button onPress={() => setNow(before)}>Undo</Button>}
        </div>
      )}
    </Form>
  );
}

interface OneProps {
  field: FieldOf;
  value: unknown;
  tiers: string[];
  isDisabled: boolean;
  isFixed: boolean;
  onChange: (value: unknown) => void;
}

function OneField({ field, value, tiers, isDisabled, isFixed, onChange }: OneProps) {
  const { kind, label, unit, maybe } = field;
  const help = [field.help, isFixed && "Fixed by the environment."].filter(Boolean).join(" ") || undefined;
  if (kind === "switch")
    return (
      <Checkbox label={label} help={help} isSelected={value === true} isDisabled={isDisabled} onChange={onChange} />
    );
  if (kind === "number")
    return (
      <NumberField
        label={unit ? `${label} (${unit.name})` : label}
        help={help}
        minValue={0}
        isDisabled={isDisabled}
        formatOptions={{ maximumFractionDigits: 4 }}
        value={typeof value === "number" ? value / (unit?.size ?? 1) : NaN}
        onChange={(entered) => {
          if (Number.isFinite(entered)) onChange(unit ? Math.round(entered * unit.size) : entered);
          else if (maybe) onChange(null);
        }}
      />
    );
  if (kind === "list")
    return (
      <TextField
        search
        label={label}
        help={help}
        isDisabled={isDisabled}
        value={Array.isArray(value) ? value.join(", ") : ""}
        onChange={(text) => onChange(text.split(",").map((word) => word.trim()))}
      />
    );
  if (kind === "text")
    return (
      <TextField
        search
        label={label}
        help={help}
        isDisabled={isDisabled}
        value={String(value ?? "")}
        onChange={onChange}
      />
    );
  const options = {
    role: ROLES,
    format: FORMATS,
    standard: STANDARDS,
    tier: tiers.map((each) => ({ value: each, text: each })),
  }[kind];
  return (
    <Select
      label={label}
      help={help}
      options={options}
      isDisabled={isDisabled}
      value={String(value ?? "")}
      onChange={(chosen) => onChange(kind === "standard" && chosen === "" ? null : chosen)}
    />
  );
}
