import { Link } from "@tanstack/react-router";

import { TabBar, tabClass } from "./Tabs";

/** A view of a page: the word for it in the address (none for the first one), and what people read. */
export type View = readonly [key: string | undefined, text: string];

/** Tabs that change the view of the page at hand; the address says which, everything else in it is left behind. */
export function ViewTabs({ label, views }: { label: string; views: readonly View[] }) {
  return (
    <TabBar label={label}>
      {views.map(([key, text]) => (
        <li key={text}>
          <Link to="." search={{ view: key } as never} activeOptions={{ explicitUndefined: true }} className={tabClass}>
            {text}
          </Link>
        </li>
      ))}
    </TabBar>
  );
}
