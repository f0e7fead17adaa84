import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { api, take } from "@/api/client";
import type { Correction } from "@/generate/corrections";

/** What shapes the learning of a dataset. */
export interface Learning {
  corrections: Correction[];
  minSubjects?: number;
}

/** Learning a dataset by a job of its own; `learned` says with what the model at hand is, or was asked for. */
export function useLearning(projectId: string, datasetId: string) {
  const client = useQueryClient();
  const [modelId, setModelId] = useState("");
  const [learned, setLearned] = useState<Learning>();
  const path = { project_id: projectId };
  const key = ["project", projectId, "models"];
  const learn = useMutation({
    mutationFn: ({ corrections, minSubjects = 1 }: Learning) =>
      take(
        api.POST("/api/projects/{project_id}/models", {
          params: { path },
          body: {
            dataset_id: datasetId,
            description: "",
            corrections,
            privacy: minSubjects > 1 ? { min_subjects: minSubjects } : {},
            urgency: "normal",
          },
        }),
      ),
    onSuccess: (made, asked) => {
      setModelId(made.id);
      setLearned(asked);
      void client.invalidateQueries({ queryKey: key });
    },
  });
  const model = useQuery({
    queryKey: [...key, modelId],
    enabled: modelId !== "",
    queryFn: () =>
      take(
        api.GET("/api/projects/{project_id}/models/{model_id}", { params: { path: { ...path, model_id: modelId } } }),
      ),
  });
  return { learn, learned, model: model.data, key };
}
