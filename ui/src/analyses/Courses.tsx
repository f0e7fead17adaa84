import { Select } from "@/parts/Fields";
import { Grid, Section } from "@/parts/Layout";
import { Legend } from "@/parts/Legend";
import { number, percent } from "@/format";
import type { EventsByArm, Patterns } from "@/queries";

import { CourseChart } from "./CourseChart";

/** Tests over the visits, and events, by arm. */
export function Courses({
  patterns,
  test,
  onTest,
}: {
  patterns: Patterns;
  /** `table.test` of the course that is shown. */
  test: string | undefined;
  onTest: (test: string) => void;
}) {
  const { arms, subjects, courses, events } = patterns;
  const nameOf = (each: { table: string; test: string }) => `${each.table}.${each.test}`;
  const course = courses.find((each) => nameOf(each) === test) ?? courses[0];
  if (courses.length === 0 && events.length === 0)
    return <p className="text-muted">There are neither tests over time nor events in these data.</p>;
  const legend = <Legend names={arms} notes={subjects.map((each) => `${number(each)} subjects`)} />;
  return (
    <>
      {course && (
        <Section title="Visit course of a test">
          <div className="panel p-4">
            <div className="mb-3 flex flex-wrap items-end gap-x-6 gap-y-3">
              <Select
                label="Test"
                className="w-full sm:w-96"
                options={courses.map((each) => ({
                  value: nameOf(each),
                  text: each.label ? `${each.test} · ${each.label}` : each.test,
                  help: each.table,
                }))}
                value={nameOf(course)}
                onChange={onTest}
              />
              {legend}
            </div>
            <CourseChart course={course} arms={arms} />
            <p className="mt-1 text-sm text-muted">
              Point: the middle value (median). Line: the middle 80 %. Cells of fewer than three subjects are left out.
            </p>
            <details className="mt-2">
              <summary className="cursor-pointer text-accent">The numbers</summary>
              <div className="mt-2">
                <Grid label={`Numbers of ${course.test}`} head={["Visit", ...arms]}>
                  {course.visits.map((visit, v) => (
                    <tr key={visit}>
                      <th scope="row">{visit}</th>
                      {arms.map((arm, a) => {
                        const [low, middle, high] = [course.low[a]?.[v], course.middle[a]?.[v], course.high[a]?.[v]];
                        return (
                          <td key={arm} className="numbers whitespace-nowrap">
                            {middle == null || low == null || high == null
                              ? "–"
                              : `${number(middle, 2)} (${number(low, 2)} to ${number(high, 2)})`}{" "}
                            <span className="text-muted">n {number(course.n[a]?.[v] ?? 0)}</span>
                          </td>
                        );
                      })}
                    </tr>
                  ))}
                </Grid>
              </div>
            </details>
          </div>
        </Section>
      )}
      {events.length > 0 && (
        <Section title="Events by arm">
          {!course && <div className="mb-3">{legend}</div>}
          <div className="grid items-start gap-4 lg:grid-cols-2 [&>*]:min-w-0">
            {events.map((each) => (
              <Events key={each.table} events={each} arms={arms} />
            ))}
          </div>
        </Section>
      )}
    </>
  );
}

function Events({ events, arms }: { events: EventsByArm; arms: string[] }) {
  return (
    <div className="panel p-4">
      <h3 className="mb-2">
        {events.label || events.table} <span className="font-normal text-muted">{events.table}</span>
      </h3>
      <Grid label={`Events of ${events.table}`} head={["", ...arms]}>
        <tr>
          <th scope="row">Subjects with any</th>
          {arms.map((arm, a) => (
            <Share key={arm} value={events.any[a] ?? null} at={a} />
          ))}
        </tr>
        <tr>
          <th scope="row">Rows of a subject</th>
          {arms.map((arm, a) => (
            <td key={arm} className="numbers">
              {events.rows[a] == null ? "–" : number(events.rows[a], 2)}
            </td>
          ))}
        </tr>
        {events.terms.map((term) => (
          <tr key={term.term}>
            <td className="break-words">{term.term}</td>
            {arms.map((arm, a) => (
              <Share key={arm} value={term.shares[a] ?? null} at={a} />
            ))}
          </tr>
        ))}
      </Grid>
    </div>
  );
}

function Share({ value, at }: { value: number | null; at: number }) {
  return (
    <td className="numbers min-w-24">
      {value === null ? "–" : percent(value)}
      <span aria-hidden className="mt-0.5 block h-1.5 rounded-sm bg-sunken">
        <span
          className="block h-full rounded-sm"
          style={{ width: `${100 * (value ?? 0)}%`, background: `var(--series-${(at % 4) + 1})` }}
        />
      </span>
    </td>
  );
}
