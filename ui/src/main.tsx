import "./styles.css";

import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { I18nProvider, RouterProvider as AriaRouter } from "react-aria-components";

import { onExpired } from "./api/client";
import { asProblem } from "./api/problem";
import { ToastProvider } from "./parts/Toasts";
import { makeRouter } from "./router";

const client = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 10_000,
      retry: (failures, error) => {
        const { status } = asProblem(error);
        return failures < 2 && (status === 0 || status >= 500);
      },
    },
  },
});
const router = makeRouter(client);

// Where one was stands in the address of the page to sign in, so that one gets back there.
onExpired(() => {
  const here = router.state.location;
  if (here.pathname === "/login" || client.getQueryData(["me"]) === undefined) return;
  client.clear();
  void router.navigate({ to: "/login", search: { next: here.href, expired: true } });
});

createRoot(document.getElementById("root")!).render(
  <StrictMode>
    <QueryClientProvider client={client}>
      <I18nProvider locale={navigator.language}>
        <AriaRouter navigate={(href) => void router.navigate({ href })}>
          <ToastProvider>
            <RouterProvider router={router} />
          </ToastProvider>
        </AriaRouter>
      </I18nProvider>
    </QueryClientProvider>
  </StrictMode>,
);
