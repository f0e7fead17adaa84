import { ChevronDown } from "lucide-react";
import { useState } from "react";
import {
  Autocomplete,
  Button,
  Input,
  Label,
  ListBox,
  ListBoxItem,
  Popover,
  SearchField,
  Select,
  SelectValue,
} from "react-aria-components";

/** One of more values than a list can show: the list has a field to seek in, and holds what was found. */
export function SearchSelect({
  label,
  value,
  options,
  note,
  onSearch,
  onChange,
}: {
  label: string;
  value: string;
  /** What was found for the text that was last given to `onSearch`. */
  options: string[];
  /** What is to be said of the list: that there is more, or nothing. */
  note: string | undefined;
  onSearch: (text: string) => void;
  onChange: (value: string) => void;
}) {
  const [text, setText] = useState("");
  const seek = (next: string) => {
    setText(next);
    onSearch(next.trim());
  };
  return (
    <Select
      value={options.includes(value) ? value : null}
      onChange={(key) => key !== null && onChange(String(key))}
      onOpenChange={(open) => open && seek("")}
      className="w-64 max-w-full"
    >
      <Label className="mb-1 block text-sm font-medium">{label}</Label>
      <Button className="field flex items-center justify-between gap-2 text-left">
        <SelectValue className="truncate">{() => value}</SelectValue>
        <ChevronDown aria-hidden className="size-4 shrink-0 text-muted" />
      </Button>
      <Popover className="panel flex min-w-(--trigger-width) max-w-[min(28rem,calc(100vw-2rem))] flex-col overflow-hidden shadow-lg">
        <Autocomplete inputValue={text} onInputChange={seek}>
          <SearchField aria-label={`Find in: ${label}`} autoFocus className="p-2">
            <Input className="field" placeholder="Find…" />
          </SearchField>
          <ListBox
            aria-label={label}
            items={options.map((id) => ({ id }))}
            className="max-h-72 overflow-auto p-1 outline-none"
            renderEmptyState={() => null}
          >
            {({ id }) => (
              <ListBoxItem
                id={id}
                textValue={id}
                className="cursor-pointer rounded-md px-2.5 py-1.5 break-words outline-none data-[focused]:bg-accent-soft data-[selected]:font-semibold"
              >
                {id}
              </ListBoxItem>
            )}
          </ListBox>
        </Autocomplete>
        {note && (
          <p role="status" className="border-t border-line px-3 py-2 text-sm text-muted">
            {note}
          </p>
        )}
      </Popover>
    </Select>
  );
}
