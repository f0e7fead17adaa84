import type { ReactNode } from "react";
import {
  Menu as AriaMenu,
  MenuItem as AriaItem,
  MenuTrigger,
  Popover,
  Button as AriaButton,
} from "react-aria-components";

export function Menu({ label, trigger, children }: { label: string; trigger: ReactNode; children: ReactNode }) {
  return (
    <MenuTrigger>
      <AriaButton
        aria-label={label}
        className="inline-flex min-h-9 min-w-9 items-center justify-center gap-2 rounded-lg px-2 hover:bg-sunken"
      >
        {trigger}
      </AriaButton>
      <Popover
        className="panel min-w-48 max-w-[calc(100vw-2rem)] overflow-auto shadow-lg"
        placement="bottom end"
        // A menu that covered its button would take the end of the press for a choice.
        maxHeight={300}
      >
        <AriaMenu className="p-1 outline-none">{children}</AriaMenu>
      </Popover>
    </MenuTrigger>
  );
}

export function MenuItem({
  onAction,
  children,
  bad = false,
}: {
  onAction: () => void;
  children: ReactNode;
  bad?: boolean;
}) {
  return (
    <AriaItem
      onAction={onAction}
      className={`flex cursor-pointer items-center gap-2 rounded-md px-3 py-2 outline-none data-[focused]:bg-accent-soft ${bad ? "text-danger" : ""}`}
    >
      {children}
    </AriaItem>
  );
}
