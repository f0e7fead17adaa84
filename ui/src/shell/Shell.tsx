import { useQueryClient, useSuspenseQuery } from "@tanstack/react-query";
import { Link, Outlet, useNavigate } from "@tanstack/react-router";
import { CircleUser, KeyRound, LogOut, Moon, Settings, ShieldCheck, Sun, SunMoon } from "lucide-react";
import { Suspense } from "react";

import { api, take } from "@/api/client";
import { Menu, MenuItem } from "@/parts/Menu";
import { Waiting } from "@/parts/Notices";
import { useToasts } from "@/parts/Toasts";
import * as ask from "@/queries";

import { setTheme } from "./theme";

export function Brand() {
  return (
    <span className="inline-flex items-center gap-2.5 font-semibold">
      <img src="/icon.svg" alt="" className="size-7" />
      DataReplicator
    </span>
  );
}

export function ThemeMenu() {
  return (
    <Menu label="Light or dark" trigger={<SunMoon aria-hidden className="size-5" />}>
      <MenuItem onAction={() => setTheme("light")}>
        <Sun aria-hidden className="size-4" /> Light
      </MenuItem>
      <MenuItem onAction={() => setTheme("dark")}>
        <Moon aria-hidden className="size-4" /> Dark
      </MenuItem>
      <MenuItem onAction={() => setTheme("system")}>
        <SunMoon aria-hidden className="size-4" /> As the system
      </MenuItem>
    </Menu>
  );
}

export function Shell() {
  const { data: me } = useSuspenseQuery(ask.me());
  const client = useQueryClient();
  const navigate = useNavigate();
  const { fail } = useToasts();

  const signOut = async () => {
    try {
      await take(api.POST("/api/auth/logout"));
      client.clear();
      await navigate({ to: "/login" });
    } catch (error) {
      fail(error);
    }
  };

  return (
    <>
      <a
        href="#content"
        className="absolute left-2 -top-20 z-50 rounded-lg bg-accent px-3 py-2 text-on-accent focus:top-2"
      >
        To the content
      </a>
      <header className="sticky top-0 z-30 border-b border-line bg-surface">
        <div className="mx-auto flex h-13 max-w-[110rem] items-center gap-2 px-3 sm:px-6">
          <Link to="/" className="mr-auto inline-flex items-center rounded-lg text-ink no-underline">
            <Brand />
          </Link>
          <ThemeMenu />
          <Menu
            label={`Your account: ${me.email}`}
            trigger={
              <>
                <CircleUser aria-hidden className="size-5" />
                <span className="hidden max-w-48 truncate sm:inline">{me.name || me.email}</span>
              </>
            }
          >
            <MenuItem onAction={() => void navigate({ to: "/account" })}>
              <Settings aria-hidden className="size-4" /> Account
            </MenuItem>
            <MenuItem onAction={() => void navigate({ to: "/keys" })}>
              <KeyRound aria-hidden className="size-4" /> API keys
            </MenuItem>
            {me.permissions.includes("users.read") && (
              <MenuItem onAction={() => void navigate({ to: "/admin", search: {} })}>
                <ShieldCheck aria-hidden className="size-4" /> Administration
              </MenuItem>
            )}
            <MenuItem onAction={() => void signOut()}>
              <LogOut aria-hidden className="size-4" /> Sign out
            </MenuItem>
          </Menu>
        </div>
      </header>
      <main id="content" tabIndex={-1} className="mx-auto max-w-[110rem] px-3 py-5 outline-none sm:px-6">
        <Suspense fallback={<Waiting for="Opening the page" />}>
          <Outlet />
        </Suspense>
      </main>
    </>
  );
}
