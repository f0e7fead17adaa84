import { Check, ChevronDown } from "lucide-react";
import type { ReactNode } from "react";
import {
  Button,
  Checkbox as AriaCheckbox,
  FieldError,
  Input,
  Label,
  ListBox,
  ListBoxItem,
  NumberField as AriaNumber,
  type NumberFieldProps,
  Popover,
  Select as AriaSelect,
  SelectValue,
  Text,
  TextArea,
  TextField as AriaText,
  type TextFieldProps,
} from "react-aria-components";

interface Common {
  label: string;
  /** A sentence under the field. */
  help?: ReactNode;
  /** What is wrong with the value. */
  wrong?: string | undefined;
  className?: string;
}

const LABEL = "block text-sm font-medium mb-1";
const HELP = "block text-sm text-muted mt-1";
const WRONG = "block text-sm text-danger mt-1";

export function TextField({
  label,
  help,
  wrong,
  className = "",
  multiline = 0,
  mono = false,
  placeholder,
  search = false,
  ...rest
}: Common & { search?: boolean; multiline?: number; mono?: boolean; placeholder?: string } & Omit<
    TextFieldProps,
    "className" | "children"
  >) {
  return (
    <AriaText {...rest} isInvalid={Boolean(wrong)} validationBehavior="aria" className={className}>
      <Label className={LABEL}>
        {label}
        {rest.isRequired || search ? null : <span className="font-normal text-muted"> (optional)</span>}
      </Label>
      {multiline ? (
        <TextArea rows={multiline} placeholder={placeholder} className={`field ${mono ? "font-mono text-sm" : ""}`} />
      ) : (
        <Input placeholder={placeholder} className={`field ${mono ? "font-mono text-sm" : ""}`} />
      )}
      {help && (
        <Text slot="description" className={HELP}>
          {help}
        </Text>
      )}
      <FieldError className={WRONG}>{wrong}</FieldError>
    </AriaText>
  );
}

export function NumberField({
  label,
  help,
  wrong,
  className = "",
  ...rest
}: Common & Omit<NumberFieldProps, "className" | "children">) {
  return (
    <AriaNumber {...rest} isInvalid={Boolean(wrong)} validationBehavior="aria" className={className}>
      <Label className={LABEL}>{label}</Label>
      <Input className="field numbers" />
      {help && (
        <Text slot="description" className={HELP}>
          {help}
        </Text>
      )}
      <FieldError className={WRONG}>{wrong}</FieldError>
    </AriaNumber>
  );
}

export interface Option<Value extends string> {
  value: Value;
  text: string;
  help?: string;
}

export function Select<Value extends string>({
  label,
  help,
  options,
  value,
  onChange,
  className = "",
  hideLabel = false,
  isDisabled = false,
  placeholder = "Choose…",
}: Omit<Common, "wrong"> & {
  options: Option<Value>[];
  value: Value | null;
  onChange: (value: Value) => void;
  hideLabel?: boolean;
  isDisabled?: boolean;
  placeholder?: string;
}) {
  return (
    <AriaSelect
      value={value}
      onChange={(key) => key !== null && onChange(String(key) as Value)}
      isDisabled={isDisabled}
      placeholder={placeholder}
      className={className}
      {...(hideLabel ? { "aria-label": label } : {})}
    >
      {!hideLabel && <Label className={LABEL}>{label}</Label>}
      <Button className="field flex items-center justify-between gap-2 text-left">
        <SelectValue className="truncate">
          {({ isPlaceholder, selectedText }) =>
            isPlaceholder ? <span className="text-muted">{placeholder}</span> : selectedText
          }
        </SelectValue>
        <ChevronDown aria-hidden className="size-4 shrink-0 text-muted" />
      </Button>
      {help && (
        <Text slot="description" className={HELP}>
          {help}
        </Text>
      )}
      <Popover className="panel min-w-(--trigger-width) max-w-[min(28rem,calc(100vw-2rem))] overflow-auto shadow-lg">
        <ListBox items={options} className="max-h-80 p-1 outline-none">
          {(option) => (
            <ListBoxItem
              id={option.value}
              textValue={option.text}
              className="flex cursor-pointer items-start gap-2 rounded-md px-2.5 py-1.5 outline-none data-[focused]:bg-accent-soft"
            >
              {({ isSelected }) => (
                <>
                  <Check aria-hidden className={`mt-1 size-4 shrink-0 ${isSelected ? "text-accent" : "invisible"}`} />
                  <span className="min-w-0">
                    <Text slot="label" className="block">
                      {option.text}
                    </Text>
                    {option.help && (
                      <Text slot="description" className="block text-sm text-muted">
                        {option.help}
                      </Text>
                    )}
                  </span>
                </>
              )}
            </ListBoxItem>
          )}
        </ListBox>
      </Popover>
    </AriaSelect>
  );
}

export function Checkbox({
  label,
  help,
  isSelected,
  onChange,
  isDisabled = false,
}: {
  label: ReactNode;
  help?: ReactNode;
  isSelected: boolean;
  onChange: (value: boolean) => void;
  isDisabled?: boolean;
}) {
  return (
    <AriaCheckbox
      isSelected={isSelected}
      onChange={onChange}
      isDisabled={isDisabled}
      className="group flex cursor-pointer items-start gap-2.5 py-1 data-[disabled]:opacity-60"
    >
      <span className="mt-0.5 grid size-5 shrink-0 place-items-center rounded border border-edge bg-surface group-data-[focus-visible]:outline-2 group-data-[focus-visible]:outline-offset-2 group-data-[focus-visible]:outline-accent group-data-[selected]:border-accent group-data-[selected]:bg-accent">
        <Check aria-hidden className="size-4 text-on-accent opacity-0 group-data-[selected]:opacity-100" />
      </span>
      <span>
        <span className="block">{label}</span>
        {help && <span className="block text-sm text-muted">{help}</span>}
      </span>
    </AriaCheckbox>
  );
}
