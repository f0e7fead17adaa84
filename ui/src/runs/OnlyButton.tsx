import { Button } from "@/parts/Button";

/** Shows only what is of one kind, or all again. */
export function OnlyButton({
  name,
  only,
  onChange,
}: {
  name: string;
  only: string | undefined;
  onChange: (only: string | undefined) => void;
}) {
  const chosen = only === name;
  return (
    <Button look="quiet" aria-pressed={chosen} onPress={() => onChange(chosen ? undefined : name)}>
      {chosen ? "Show all" : "Only these"}
      <span className="sr-only"> ({name})</span>
    </Button>
  );
}
