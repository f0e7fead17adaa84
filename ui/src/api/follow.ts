import type { Schemas } from "./client";

export type JobEvent = Schemas["JobEventOut"];
export type Line = "live" | "connecting" | "polling";

const PATIENCE = 3;
const SLOWEST = 10_000;
const POLL = 2_000;

interface Followed {
  /** Address of the job's events without scheme and host. */
  path: string;
  after: number;
  onEvent: (event: JobEvent) => void;
  onLine: (line: Line) => void;
  /** Events after a number, asked for by a plain request. */
  poll: (after: number) => Promise<JobEvent[]>;
  /** Whether the last event said that the job has ended. */
  ended: () => boolean;
}

/**
 * Follows a job by WebSocket, comes back after a cut with the number of the last event seen, and asks by plain
 * requests in between when the WebSocket does not come back. Returns what ends it.
 */
export function follow(job: Followed): () => void {
  let after = job.after;
  let failures = 0;
  let socket: WebSocket | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let polling: ReturnType<typeof setTimeout> | undefined;
  let over = false;

  const take = (event: JobEvent) => {
    if (over || event.number <= after) return;
    after = event.number;
    job.onEvent(event);
  };

  const ask = async () => {
    try {
      for (const event of await job.poll(after)) take(event);
    } catch {
      // The next turn asks for the same again.
    }
    if (!over && failures >= PATIENCE && !job.ended()) polling = setTimeout(ask, POLL);
    else polling = undefined;
  };

  const connect = () => {
    if (over) return;
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    socket = new WebSocket(`${scheme}//${location.host}${job.path}?after=${after}`);
    socket.onopen = () => {
      failures = 0;
      job.onLine("live");
    };
    socket.onmessage = (message: MessageEvent<string>) => {
      const event = JSON.parse(message.data) as Partial<JobEvent>;
      if (event.number !== undefined) take(event as JobEvent);
    };
    socket.onclose = () => {
      socket = null;
      if (over || job.ended()) return;
      failures += 1;
      job.onLine(failures >= PATIENCE ? "polling" : "connecting");
      if (failures >= PATIENCE && polling === undefined) void ask();
      timer = setTimeout(connect, Math.min(SLOWEST, 500 * 2 ** failures));
    };
  };

  job.onLine("connecting");
  connect();
  return () => {
    over = true;
    clearTimeout(timer);
    clearTimeout(polling);
    socket?.close();
  };
}
