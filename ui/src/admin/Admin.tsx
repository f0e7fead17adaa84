import { useSuspenseQuery } from "@tanstack/react-query";
import { Link, Outlet } from "@tanstack/react-router";
import { Suspense } from "react";

import { PageHead } from "@/parts/Layout";
import { Waiting } from "@/parts/Notices";
import { TabBar, tabClass } from "@/parts/Tabs";
import * as ask from "@/queries";

const PARTS = [
  { to: "/admin", text: "People", permission: "users.read" },
  { to: "/admin/settings", text: "Settings", permission: "settings.read" },
  { to: "/admin/tiers", text: "Tiers and quotas", permission: "settings.read" },
  { to: "/admin/logs", text: "Usage and logs", permission: "logs.read" },
  { to: "/admin/cache", text: "Cache", permission: "settings.read" },
  { to: "/admin/audit", text: "Audit trail", permission: "audit.read" },
] as const;

export function Admin() {
  const { data: me } = useSuspenseQuery(ask.me());
  return (
    <>
      <PageHead title="Administration" />
      <TabBar label="Parts of the administration">
        {PARTS.filter((part) => me.permissions.includes(part.permission)).map((part) => (
          <li key={part.to}>
            <Link to={part.to} search={{}} activeOptions={{ exact: true, includeSearch: false }} className={tabClass}>
              {part.text}
            </Link>
          </li>
        ))}
      </TabBar>
      <Suspense fallback={<Waiting for="Opening the page" />}>
        <Outlet />
      </Suspense>
    </>
  );
}
