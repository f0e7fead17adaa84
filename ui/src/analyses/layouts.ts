const LAYOUTS: Record<string, string> = {
  subject: "a row a subject",
  events: "events of subjects",
  intervals: "intervals of subjects",
  findings: "results by test and visit",
  visits: "visits of subjects",
  supplement: "additions to another table",
  reference: "design of the study",
  relation: "relations between rows",
  comment: "comments",
  sets: "sets of rows a subject",
};

export const layoutWords = (layout: string) => LAYOUTS[layout] ?? layout;
