import { useQuery, useQueryClient, useSuspenseQuery } from "@tanstack/react-query";

import { api, take } from "@/api/client";
import { ProblemBox, Waiting } from "@/parts/Notices";
import { useToasts } from "@/parts/Toasts";
import * as ask from "@/queries";

import { GROUPS, OF_TIERS, type Values } from "./settings";
import { SettingsForm } from "./SettingsForm";

function useSettings() {
  const client = useQueryClient();
  const { tell } = useToasts();
  const { data: me } = useSuspenseQuery(ask.me());
  const settings = useQuery({ queryKey: ["settings"], queryFn: () => take(api.GET("/api/settings")) });
  const save = async (change: Values) => {
    const saved = await take(api.PATCH("/api/settings", { body: change }));
    client.setQueryData(["settings"], saved);
    await client.invalidateQueries({ queryKey: ["methods"] });
    tell("Saved. It counts with the next request.");
  };
  return { settings, save, readOnly: !me.permissions.includes("settings.write") };
}

/** An emptied list has one empty word in it while it is being typed. */
const cleaned = (change: Values) =>
  Object.fromEntries(
    Object.entries(change).map(([name, value]) => [name, Array.isArray(value) ? value.filter(Boolean) : value]),
  );

export function Policies() {
  const { settings, save, readOnly } = useSettings();
  if (settings.isError) return <ProblemBox error={settings.error} />;
  if (!settings.data) return <Waiting for="Loading the settings" />;
  const whole = settings.data.settings as unknown as Record<string, Values>;
  const tiers = Object.keys(whole["tiers"] ?? {});
  return (
    <div className="grid items-start gap-4 xl:grid-cols-2">
      {GROUPS.map((group) => (
        <SettingsForm
          key={`${group.name}${JSON.stringify(whole[group.name])}`}
          title={group.title}
          help={group.help}
          fields={group.fields}
          before={whole[group.name] ?? {}}
          tiers={tiers}
          fixed={group.name === "access" ? settings.data.fixed : []}
          readOnly={readOnly}
          onSave={(change) => save({ [group.name]: cleaned(change) })}
        />
      ))}
    </div>
  );
}

export function Tiers() {
  const { settings, save, readOnly } = useSettings();
  if (settings.isError) return <ProblemBox error={settings.error} />;
  if (!settings.data) return <Waiting for="Loading the tiers" />;
  const tiers = settings.data.settings.tiers as unknown as Record<string, Values>;
  return (
    <>
      <p className="mb-4 text-muted">What people may use, by their tier. Empty: without limit.</p>
      <div className="grid items-start gap-4 xl:grid-cols-2">
        {Object.entries(tiers).map(([name, tier]) => (
          <SettingsForm
            key={`${name}${JSON.stringify(tier)}`}
            title={name}
            fields={OF_TIERS}
            before={tier}
            tiers={[]}
            fixed={[]}
            readOnly={readOnly}
            onSave={(change) => save({ tiers: { [name]: change } })}
          />
        ))}
      </div>
    </>
  );
}
