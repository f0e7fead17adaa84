import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";

import { api, take } from "@/api/client";
import { linkToken } from "@/auth/Account";
import { Button } from "@/parts/Button";
import { PageHead } from "@/parts/Layout";
import { Notice, ProblemBox } from "@/parts/Notices";

export function Invitation() {
  const [token] = useState(linkToken);
  const client = useQueryClient();
  const navigate = useNavigate();
  const accept = useMutation({
    mutationFn: () => take(api.POST("/api/invitations/accept", { body: { token } })),
    onSuccess: async (project) => {
      await client.invalidateQueries({ queryKey: ["projects"] });
      await navigate({ to: "/projects/$projectId", params: { projectId: project.id } });
    },
  });
  return (
    <>
      <PageHead title="Invitation to a project">The link works for the account whose address was invited.</PageHead>
      {!token && <Notice tone="warning">Copy the whole link of the invitation into the address line.</Notice>}
      {accept.isError && <ProblemBox error={accept.error} />}
      {token && (
        <Button look="primary" className="mt-4" doing={accept.isPending && "Joining…"} onPress={() => accept.mutate()}>
          Join the project
        </Button>
      )}
    </>
  );
}
