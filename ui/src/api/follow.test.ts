import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { follow, type JobEvent, type Line } from "./follow";

class Socket {
  static all: Socket[] = [];
  onopen?: () => void;
  onmessage?: (message: { data: string }) => void;
  onclose?: () => void;
  closed = false;
  constructor(readonly url: string) {
    Socket.all.push(this);
  }
  say(event: Partial<JobEvent>) {
    this.onmessage?.({ data: JSON.stringify(event) });
  }
  close() {
    this.closed = true;
  }
}

const event = (number: number, state = "running"): JobEvent => ({ number, at: "", event: "state", content: { state } });

beforeEach(() => {
  vi.useFakeTimers();
  Socket.all = [];
  vi.stubGlobal("WebSocket", Socket);
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

function start(poll: (after: number) => Promise<JobEvent[]> = () => Promise.resolve([])) {
  const seen: number[] = [];
  const lines: Line[] = [];
  let ended = false;
  const stop = follow({
    path: "/api/jobs/1/events",
    after: 0,
    poll,
    onLine: (line) => lines.push(line),
    ended: () => ended,
    onEvent: (one) => {
      seen.push(one.number);
      ended = one.content["state"] === "done";
    },
  });
  return { seen, lines, stop };
}

test("a cut costs nothing: it goes on after the last event seen, and what comes twice counts once", () => {
  const { seen, stop } = start();
  Socket.all[0]!.onopen?.();
  Socket.all[0]!.say(event(1));
  Socket.all[0]!.say(event(2));
  Socket.all[0]!.onclose?.();
  vi.advanceTimersByTime(1_100);
  expect(Socket.all[1]!.url).toMatch(/after=2$/);
  Socket.all[1]!.say(event(2));
  Socket.all[1]!.say(event(3));
  expect(seen).toEqual([1, 2, 3]);
  stop();
});

test("without a WebSocket it asks by plain requests, and comes back when there is one", async () => {
  const poll = vi.fn((after: number) => Promise.resolve(after === 0 ? [event(1)] : []));
  const { seen, lines, stop } = start(poll);
  for (let at = 0; at < 3; at += 1) {
    Socket.all[at]!.onclose?.();
    await vi.advanceTimersByTimeAsync(4_100);
  }
  expect(lines.at(-1)).toBe("polling");
  expect(seen).toEqual([1]);
  expect(poll).toHaveBeenLastCalledWith(1);
  Socket.all[3]!.onopen?.();
  expect(lines.at(-1)).toBe("live");
  stop();
});

test("after the end nobody asks again", () => {
  const { stop } = start();
  Socket.all[0]!.say(event(1, "done"));
  Socket.all[0]!.onclose?.();
  vi.advanceTimersByTime(60_000);
  expect(Socket.all).toHaveLength(1);
  stop();
});
