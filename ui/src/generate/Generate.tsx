import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { Plus, Trash2 } from "lucide-react";
import { lazy, type ReactNode, Suspense, useMemo, useState } from "react";
import { Form } from "react-aria-components";

import { api, take } from "@/api/client";
import { Button, ButtonLink } from "@/parts/Button";
import { Checkbox, NumberField, Select, TextField } from "@/parts/Fields";
import { PageHead } from "@/parts/Layout";
import { Empty, Notice, ProblemBox, Waiting } from "@/parts/Notices";
import * as ask from "@/queries";
import type { Profile } from "@/queries";

import { useProject } from "@/projects/Project";

import { Estimate } from "./Estimate";
import { type Correction, correctionText, useCorrections } from "./corrections";
import { formatWords } from "./formats";
import { Mixes } from "./Mixes";
import { type Source, sourcesOf } from "./source";
import { documentOf, parseConstraints, type Request, requestOf, START } from "./request";

const Asked = lazy(() => import("./Asked"));
const route = getRouteApi("/inside/projects/$projectId/generate");

export function Generate() {
  const { projectId, may } = useProject();
  const { dataset: wanted, model, again } = route.useSearch();
  const datasets = useQuery(ask.datasets(projectId));
  const before = useQuery({ ...ask.run(projectId, again ?? ""), enabled: Boolean(again) });
  const mine = useQuery({
    queryKey: ["mine"],
    queryFn: () => take(api.GET("/api/settings/mine")),
    staleTime: 60_000,
  });
  const models = useQuery(ask.models(projectId));
  const usable = sourcesOf(datasets.data?.items ?? [], models.data?.items ?? []);

  if (!may("runs.write")) return <Notice>Your role in this project lets you look at runs, not start them.</Notice>;
  if (datasets.isError) return <ProblemBox error={datasets.error} />;
  if (before.isError) return <ProblemBox error={before.error} />;
  if (mine.isError) return <ProblemBox error={mine.error} />;
  if (models.isError) return <ProblemBox error={models.error} />;
  if (!datasets.data || !models.data || !mine.data || (again && !before.data))
    return <Waiting for="Loading what can be asked for" />;
  if (usable.length === 0)
    return (
      <Empty
        title="First the data"
        action={
          <ButtonLink look="primary" to="/projects/$projectId/data" params={{ projectId }}>
            Upload a study
          </ButtonLink>
        }
      >
        New subjects are made after the example of a study. Upload its files, or take the sample study.
      </Empty>
    );
  const first = before.data?.dataset_id ?? before.data?.model_id ?? model ?? wanted;
  const chosen = usable.find((each) => each.id === first) ?? usable[0]!;
  const limits = mine.data;
  const start = before.data
    ? requestOf((before.data.request["document"] as Record<string, unknown> | undefined) ?? before.data.request)
    : {
        request: {
          ...START,
          subjects: limits.defaults.subjects ?? START.subjects,
          format: limits.defaults.format ?? START.format,
        },
        left: [],
      };
  return (
    <Configure key={again ?? "new"} usable={usable} first={chosen.id} start={start} name={before.data?.name ?? ""} />
  );
}

interface Props {
  usable: Source[];
  first: string;
  start: { request: Request; left: string[] };
  name: string;
}

function Part({ title, help, children }: { title: string; help?: string; children: ReactNode }) {
  return (
    <fieldset className="panel p-4">
      <legend className="float-left mb-1 w-full text-base font-semibold">{title}</legend>
      <div className="clear-both">
        {help && <p className="mb-3 text-muted">{help}</p>}
        {children}
      </div>
    </fieldset>
  );
}

function Configure({ usable, first, start, name: given }: Props) {
  const { projectId } = useProject();
  const navigate = useNavigate();
  const client = useQueryClient();
  const [sourceId, setSourceId] = useState(first);
  const [request, setRequest] = useState(start.request);
  const [name, setName] = useState(given);
  const set = <Key extends keyof Request>(key: Key, value: Request[Key]) =>
    setRequest((old) => ({ ...old, [key]: value }));

  const choices = useQuery({
    queryKey: ["choices"],
    queryFn: () => take(api.GET("/api/choices")),
    staleTime: Infinity,
  });
  const analyses = useQuery(ask.analyses(projectId));
  const analysis = analyses.data?.items.find((each) => each.dataset_id === sourceId && each.job.state === "done");
  const profile = useQuery({ ...ask.profile(projectId, analysis?.id ?? ""), enabled: Boolean(analysis) });
  const source = usable.find((each) => each.id === sourceId)!;
  const { comparable } = source;
  const noted = useCorrections(projectId);
  const corrections = useMemo(() => {
    const known = new Set(request.corrections.map((each) => JSON.stringify(each)));
    const later = noted.corrections.filter((each) => !known.has(JSON.stringify(each)));
    return source.kind === "dataset" ? [...request.corrections, ...later] : [];
  }, [request.corrections, noted.corrections, source.kind]);
  const removeCorrection = (gone: Correction) => {
    const others = (list: Correction[]) => list.filter((each) => JSON.stringify(each) !== JSON.stringify(gone));
    set("corrections", others(request.corrections));
    noted.set(others(noted.corrections));
  };
  const document = useMemo(
    () => documentOf({ ...request, corrections, report: request.report && comparable }),
    [request, corrections, comparable],
  );
  const { wrong } = parseConstraints(request.constraints);
  const { tables } = source;
  const example = tables.includes("DM")
    ? "DM: AGE >= 18\nAE: AESTDTC <= AEENDTC"
    : `${tables[0] ?? "table"}: column >= 0`;

  const run = useMutation({
    mutationFn: () =>
      take(
        api.POST("/api/projects/{project_id}/runs", {
          params: { path: { project_id: projectId } },
          body: { [`${source.kind}_id`]: source.id, name: name.trim() || null, document, urgency: "normal" },
        }),
      ),
    onSuccess: async (made) => {
      await client.invalidateQueries({ queryKey: ["project", projectId, "runs"] });
      await navigate({ to: "/projects/$projectId/runs/$runId", params: { projectId, runId: made.id }, search: {} });
    },
  });
  const profileOfFaults = choices.data?.profiles.find((each) => each.name === request.faults);

  return (
    <Form
      onSubmit={(event) => {
        event.preventDefault();
        if (!wrong) run.mutate();
      }}
    >
      <PageHead title="Generate subjects">What is not said here stays as in the source.</PageHead>
      {start.left.length > 0 && (
        <div className="mb-4">
          <Notice tone="warning">
            The earlier run also asked for {start.left.join(", ")}. This form has no field for it: the new run goes
            without.
          </Notice>
        </div>
      )}
      <div className="grid items-start gap-5 xl:grid-cols-[minmax(0,1fr)_26rem]">
        <div className="grid gap-4">
          <Part title="What and how many">
            <div className="grid gap-4 sm:grid-cols-2">
              <Select
                label="After the example of"
                options={usable.map((each) => ({ value: each.id, text: each.name }))}
                value={sourceId}
                onChange={setSourceId}
              />
              <TextField label="Name of the run" value={name} onChange={setName} placeholder="The service finds one" />
              <NumberField
                label="Subjects"
                minValue={1}
                maxValue={10_000_000}
                value={request.subjects}
                onChange={(value) => set("subjects", Number.isFinite(value) ? value : 1)}
                help={source.subjects !== null ? `The source has ${source.subjects.toLocaleString()}.` : undefined}
              />
              <NumberField
                label="Seed"
                minValue={0}
                value={request.seed}
                formatOptions={{ useGrouping: false }}
                onChange={(value) => set("seed", Number.isFinite(value) ? value : 0)}
                help="The same seed gives the same subjects, byte by byte."
              />
              <Select
                label="Format of the files"
                options={(choices.data?.formats ?? [request.format]).map((value) => ({
                  value,
                  text: formatWords(value),
                }))}
                value={request.format}
                onChange={(value) => set("format", value)}
                help="Other formats can be downloaded later as well."
              />
              <div className="grid content-start gap-1">
                <Checkbox
                  label="Report: source against synthetic"
                  help={
                    comparable
                      ? "Distributions, relations, privacy, on one page."
                      : "Needs the data, which are not here."
                  }
                  isDisabled={!comparable}
                  isSelected={request.report && comparable}
                  onChange={(value) => set("report", value)}
                />
              </div>
            </div>
          </Part>

          <Part title="Spread" help="How much the new subjects differ from each other.">
            <div className="grid gap-4 sm:grid-cols-2">
              <NumberField
                label="Variation"
                minValue={0}
                maxValue={10}
                step={0.1}
                value={request.variation}
                onChange={(value) => set("variation", Number.isFinite(value) ? value : 1)}
                help="0: central subjects, 1: as in the source, 2: twice as wide."
              />
              <Checkbox
                label="Spread evenly"
                help="Covers the learned distributions evenly. Off: cohorts differ from seed to seed as trials do."
                isSelected={request.stratified}
                onChange={(value) => set("stratified", value)}
              />
            </div>
          </Part>

          <Part
            title="Numbers by arm, sex, site…"
            help="Exact numbers, or a ratio. Values that are not named get nobody."
          >
            {profile.data ? (
              <Mixes
                profile={profile.data as Profile}
                mixes={request.mixes}
                subjects={request.subjects}
                onChange={(mixes) => set("mixes", mixes)}
                onTotal={(value) => set("subjects", value)}
              />
            ) : analysis || analyses.isPending ? (
              <Waiting for="Loading what was found in the data" />
            ) : (
              <Notice>
                {source.kind === "model"
                  ? "For a model, counts are asked for by the command line or the API."
                  : "Analyse the dataset first: then its arms, sites and other groups can be chosen here."}
              </Notice>
            )}
          </Part>

          <Part title="Constraints" help="What no row of a table may break: a line each, the table in front.">
            <TextField
              search
              label="Rules"
              multiline={3}
              mono
              placeholder={example}
              value={request.constraints}
              onChange={(value) => set("constraints", value)}
              wrong={wrong ?? undefined}
              help={
                <>
                  Comparisons, <code>between</code>, <code>in</code>, <code>is missing</code>, <code>and</code>,{" "}
                  <code>or</code>, <code>implies</code>; other tables of the subject as <code>DM.SEX</code>.
                </>
              }
            />
          </Part>

          <Part title="Rare events and courses" help="What a test needs to see, though the source hardly has it.">
            <div className="grid gap-3">
              {request.rare.map((each, at) => (
                <div key={at} className="grid items-start gap-3 sm:grid-cols-[7rem_1fr_7rem_auto]">
                  <Select
                    label="Table"
                    options={tables.map((value) => ({ value, text: value }))}
                    value={each.domain}
                    onChange={(domain) => set("rare", replaced(request.rare, at, { ...each, domain }))}
                  />
                  <TextField
                    label="Rows where"
                    isRequired
                    mono
                    placeholder="AESER = 'Y'"
                    value={each.where}
                    onChange={(where) => set("rare", replaced(request.rare, at, { ...each, where }))}
                  />
                  <NumberField
                    label="Times as many"
                    minValue={0.1}
                    maxValue={1000}
                    value={each.times}
                    onChange={(times) => set("rare", replaced(request.rare, at, { ...each, times: times || 1 }))}
                  />
                  <Button
                    aria-label="Remove the rare event"
                    className="sm:mt-6"
                    onPress={() => set("rare", without(request.rare, at))}
                  >
                    <Trash2 aria-hidden className="size-4" />
                  </Button>
                </div>
              ))}
              {request.scenarios.map((each, at) => (
                <div key={at} className="grid items-start gap-3 sm:grid-cols-[1fr_9rem_auto]">
                  <Select
                    label="Course"
                    options={(choices.data?.scenarios ?? []).map((one) => ({
                      value: one.name,
                      text: one.name.replaceAll("-", " "),
                      help: one.summary,
                    }))}
                    value={each.name}
                    onChange={(chosen) => set("scenarios", replaced(request.scenarios, at, { ...each, name: chosen }))}
                    help={choices.data?.scenarios.find((one) => one.name === each.name)?.summary}
                  />
                  <NumberField
                    label="Subjects at least"
                    minValue={1}
                    value={each.subjects}
                    onChange={(subjects) =>
                      set("scenarios", replaced(request.scenarios, at, { ...each, subjects: subjects || 1 }))
                    }
                  />
                  <Button
                    aria-label="Remove the course"
                    className="sm:mt-6"
                    onPress={() => set("scenarios", without(request.scenarios, at))}
                  >
                    <Trash2 aria-hidden className="size-4" />
                  </Button>
                </div>
              ))}
              <div className="flex flex-wrap gap-2">
                <Button
                  onPress={() =>
                    set("rare", [
                      ...request.rare,
                      { domain: tables.includes("AE") ? "AE" : (tables[0] ?? ""), where: "", times: 2 },
                    ])
                  }
                >
                  <Plus aria-hidden className="size-4" /> Rare event
                </Button>
                <Button
                  isDisabled={!choices.data}
                  onPress={() =>
                    set("scenarios", [
                      ...request.scenarios,
                      { name: choices.data?.scenarios[0]?.name ?? "", subjects: 1 },
                    ])
                  }
                >
                  <Plus aria-hidden className="size-4" /> Course of subjects
                </Button>
              </div>
            </div>
          </Part>

          <Part title="Faults" help="Errors in known places, with a key that says where and what was there before.">
            {choices.isError && <ProblemBox error={choices.error} />}
            <Select
              label="Profile"
              className="max-w-md"
              options={[
                { value: "", text: "None", help: "Clean data" },
                ...(choices.data?.profiles ?? []).map((one) => ({
                  value: one.name,
                  text: one.name.replaceAll("-", " "),
                  help: one.summary,
                })),
              ]}
              value={request.faults}
              onChange={(value) => set("faults", value)}
            />
            {profileOfFaults && (
              <details className="mt-3">
                <summary className="cursor-pointer text-accent">
                  What it does: {profileOfFaults.faults.length} kinds of faults
                </summary>
                <ul className="mt-2 grid gap-x-6 text-sm sm:grid-cols-2">
                  {profileOfFaults.faults.map((each, at) => (
                    <li key={at} className="flex justify-between gap-3 border-b border-line py-1">
                      <span>{each.kind.replaceAll("-", " ")}</span>
                      <span className="numbers text-muted">{each.amount}</span>
                    </li>
                  ))}
                </ul>
              </details>
            )}
          </Part>

          {corrections.length > 0 && (
            <Part title="Corrections" help="Of what was found; the study is learned anew with them.">
              <ul className="grid gap-2">
                {corrections.map((each) => (
                  <li key={correctionText(each)} className="flex items-center justify-between gap-3">
                    <span className="font-mono text-sm break-words">{correctionText(each)}</span>
                    <Button look="quiet" onPress={() => removeCorrection(each)}>
                      Remove<span className="sr-only"> {correctionText(each)}</span>
                    </Button>
                  </li>
                ))}
              </ul>
            </Part>
          )}
          {source.kind === "dataset" && (
            <Part title="Privacy">
              <NumberField
                label="Least number of subjects"
                className="max-w-xs"
                minValue={1}
                value={request.minSubjects}
                onChange={(value) => set("minSubjects", value || 1)}
                help="Categories, terms and patterns that fewer subjects show are not learned."
              />
            </Part>
          )}
        </div>

        <div className="grid gap-4 xl:sticky xl:top-18">
          <Estimate source={source} subjects={request.subjects} />
          {run.isError && <ProblemBox error={run.error} />}
          <Button
            type="submit"
            look="primary"
            className="min-h-11 text-base"
            doing={run.isPending && "Starting…"}
            isDisabled={Boolean(wrong)}
          >
            Generate {request.subjects.toLocaleString()} {request.subjects === 1 ? "subject" : "subjects"}
          </Button>
          <Suspense fallback={<Waiting for="Loading the ways to ask" />}>
            <Asked document={document} projectId={projectId} source={source} />
          </Suspense>
        </div>
      </div>
    </Form>
  );
}

const replaced = <T,>(list: T[], at: number, value: T) => list.map((each, here) => (here === at ? value : each));
const without = <T,>(list: T[], at: number) => list.filter((_, here) => here !== at);
