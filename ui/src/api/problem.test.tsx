import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";

import { ProblemBox } from "@/parts/Notices";

import { asProblem, placeText, Problem, problemOf, problemOfJob } from "./problem";

test("a problem detail keeps what it says", async () => {
  const body = {
    status: 422,
    title: "Unprocessable",
    detail: "The date is none.",
    code: "source",
    hint: "Write dates as 2026-01-31.",
    place: { file: "ae.csv", table: "ae", column: "AESTDTC", row: 1204 },
    errors: [{ place: "body.name", message: "is missing" }],
  };
  const problem = await problemOf(
    new Response(JSON.stringify(body), { status: 422, headers: { "Retry-After": "30" } }),
  );
  expect(problem).toMatchObject({ status: 422, code: "source", retryAfter: 30 });
  expect(problem.of("name")).toBe("is missing");
  expect(placeText(problem.place)).toBe(`file ae.csv, table ae, column AESTDTC, row ${(1204).toLocaleString()}`);
  render(<ProblemBox error={problem} />);
  expect(screen.getByRole("alert").textContent).toMatch(
    /The date is none.*Where: file ae\.csv.*What to do: Write dates.*30 seconds/,
  );
});

test("a broken connection is told as one, and can be tried again", async () => {
  expect(asProblem(new TypeError("Failed to fetch")).code).toBe("unreachable");
  const retry = vi.fn();
  render(<ProblemBox error={new TypeError("Failed to fetch")} onRetry={retry} />);
  await userEvent.click(screen.getByRole("button", { name: "Try again" }));
  expect(retry).toHaveBeenCalledOnce();
});

test("an answer that is no problem detail is told by its status", async () => {
  const problem = await problemOf(new Response("<html>", { status: 502, statusText: "Bad Gateway" }));
  expect(problem).toBeInstanceOf(Problem);
  expect(problem.message).toContain("502");
});

test("a job that failed says why, and a defect is told as one", () => {
  const told = {
    code: "source",
    message: "the file holds no rows.",
    hint: "Send it again.",
    place: { file: "ae.csv" },
  };
  expect(problemOfJob(told)).toMatchObject({ message: "The file holds no rows.", hint: "Send it again." });
  expect(problemOfJob(told).place).toEqual({ file: "ae.csv" });
  expect(problemOfJob({ code: "internal", message: "builtins.KeyError." }).message).toContain("builtins.KeyError");
  expect(problemOfJob(null).message).toBe("The job failed.");
});
