import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { lazy, type ReactNode, Suspense, useMemo, useState } from "react";
import { Form } from "react-aria-components";

import { api, take } from "@/api/client";
import { Button } from "@/parts/Button";
import { Checkbox, NumberField, Select, TextField } from "@/parts/Fields";
import { PageHead } from "@/parts/Layout";
import { Notice, ProblemBox, Waiting } from "@/parts/Notices";
import * as ask from "@/queries";

import { useProject } from "@/projects/Project";

import { Constraints } from "./Constraints";
import { type Correction, correctionText, useCorrections } from "./corrections";
import { Estimate } from "./Estimate";
import { Faults } from "./Faults";
import { formatWords } from "./formats";
import { LearnNow } from "./LearnNow";
import { Mixes } from "./Mixes";
import { Presets } from "./Presets";
import { Rarities } from "./Rarities";
import { documentOf, parseConstraints, type Request, requestOf } from "./request";
import type { Source } from "./source";
import { problemAt, useChecked } from "./useChecked";

const Asked = lazy(() => import("./Asked"));

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

export function Configure({ usable, first, start, name: given }: Props) {
  const { projectId } = useProject();
  const navigate = useNavigate();
  const client = useQueryClient();
  const [sourceId, setSourceId] = useState(first);
  const [request, setRequest] = useState(start.request);
  const [left, setLeft] = useState(start.left);
  const [name, setName] = useState(given);
  const set = <Key extends keyof Request>(key: Key, value: Request[Key]) =>
    setRequest((old) => ({ ...old, [key]: value }));

  const choices = useQuery({
    queryKey: ["choices"],
    queryFn: () => take(api.GET("/api/choices")),
    staleTime: Infinity,
  });
  const analyses = useQuery(ask.analyses(projectId));
  const source = usable.find((each) => each.id === sourceId)!;
  const analysis = analyses.data?.items.find(
    (each) => each.dataset_id === source.datasetId && each.job.state === "done",
  );
  const profile = useQuery({ ...ask.profile(projectId, analysis?.id ?? ""), enabled: Boolean(analysis) });
  const vocabulary = useQuery({
    ...ask.vocabulary(projectId, source.id),
    enabled: source.kind === "model" && analyses.isSuccess && !analysis,
  });
  const known: ask.Known | undefined = profile.data ?? vocabulary.data;
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
  const checked = useChecked(projectId, source, document);
  const broken = !checked.pending && (checked.data?.problems.length ?? 0) > 0;
  const asks = ["constraints", "rare_events", "scenarios", "counts"].some((part) => part in document);
  const unsettled = asks && !wrong && !broken && checked.data?.learned === false;
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
  return (
    <>
      {/* The presets have a form of their own: within that of the page it would send both. */}
      <PageHead
        title="Generate subjects"
        actions={
          <Presets
            projectId={projectId}
            document={document}
            onStart={(preset) => {
              const from = requestOf(preset.document);
              setRequest(from.request);
              setLeft(from.left);
            }}
          />
        }
      >
        What is not said here stays as in the source.
      </PageHead>
      <Form
        onSubmit={(event) => {
          event.preventDefault();
          if (!wrong && !broken) run.mutate();
        }}
      >
        {left.length > 0 && (
          <div className="mb-4">
            <Notice tone="warning">
              What this starts from also asks for {left.join(", ")}. This form has no field for it: the new run goes
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
                <TextField
                  label="Name of the run"
                  value={name}
                  onChange={setName}
                  placeholder="The service finds one"
                />
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
              {known ? (
                <Mixes
                  profile={known}
                  mixes={request.mixes}
                  subjects={request.subjects}
                  wrong={problemAt(checked.data, "counts")}
                  onChange={(mixes) => set("mixes", mixes)}
                  onTotal={(value) => set("subjects", value)}
                />
              ) : analysis || analyses.isPending || vocabulary.isFetching ? (
                <Waiting for="Loading what was found in the data" />
              ) : (
                <Notice>
                  {source.kind === "model"
                    ? "An earlier release learned this model and did not write down its arms, sites and other groups: export it and import it again, then they can be chosen here."
                    : "Analyse the dataset first: then its arms, sites and other groups can be chosen here."}
                </Notice>
              )}
            </Part>

            <Part title="Constraints" help="What no row of a table may break: a line each, the table in front.">
              <Constraints
                text={request.constraints}
                onChange={(value) => set("constraints", value)}
                profile={known}
                checked={checked.data}
                example={example}
              />
            </Part>

            <Part title="Rare events and scenarios" help="What a test needs to see, though the source hardly has it.">
              <Rarities
                rare={request.rare}
                scenarios={request.scenarios}
                tables={tables}
                profile={known}
                known={choices.data?.scenarios ?? []}
                checked={checked.data}
                onRare={(rare) => set("rare", rare)}
                onScenarios={(scenarios) => set("scenarios", scenarios)}
              />
            </Part>

            <Part title="Faults" help="Errors in known places, with a key that says where and what was there before.">
              {choices.isError && <ProblemBox error={choices.error} />}
              <Faults
                profiles={choices.data?.profiles ?? []}
                value={request.faults}
                onChange={(value) => set("faults", value)}
              />
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
            <Estimate checked={checked.data} error={checked.error} />
            {source.kind === "dataset" && unsettled && (
              <LearnNow
                key={source.id}
                projectId={projectId}
                datasetId={source.id}
                wanted={{ corrections, minSubjects: request.minSubjects }}
              />
            )}
            {run.isError && <ProblemBox error={run.error} />}
            <Button
              type="submit"
              look="primary"
              className="min-h-11 text-base"
              doing={run.isPending && "Starting…"}
              isDisabled={Boolean(wrong) || broken}
            >
              Generate {request.subjects.toLocaleString()} {request.subjects === 1 ? "subject" : "subjects"}
            </Button>
            <Suspense fallback={<Waiting for="Loading the ways to ask" />}>
              <Asked document={document} projectId={projectId} source={source} />
            </Suspense>
          </div>
        </div>
      </Form>
    </>
  );
}
