import { createLink, type LinkComponent } from "@tanstack/react-router";
import { LoaderCircle } from "lucide-react";
import { type AnchorHTMLAttributes, forwardRef, type ReactNode } from "react";
import { Button as AriaButton, type ButtonProps as AriaProps } from "react-aria-components";

type Look = "primary" | "secondary" | "quiet" | "danger";

const BASE =
  "inline-flex items-center justify-center gap-2 rounded-lg font-medium transition-colors whitespace-nowrap " +
  "disabled:opacity-60 min-h-9 px-3.5 py-1.5 text-[0.95rem] no-underline";
const LOOKS: Record<Look, string> = {
  primary: "bg-accent text-on-accent hover:bg-accent-strong",
  secondary: "border border-edge bg-surface text-ink hover:bg-sunken",
  quiet: "text-accent hover:bg-accent-soft px-2",
  danger: "border border-danger text-danger bg-surface hover:bg-danger-soft",
};

export const buttonClass = (look: Look = "secondary", extra = "") => `${BASE} ${LOOKS[look]} ${extra}`;

interface ButtonProps extends Omit<AriaProps, "className" | "children"> {
  look?: Look;
  /** What is being done at the moment: the button waits and says so. */
  doing?: string | false;
  className?: string;
  children?: ReactNode;
}

export function Button({ look = "secondary", doing, className = "", children, isDisabled, ...rest }: ButtonProps) {
  return (
    <AriaButton {...rest} isDisabled={isDisabled || Boolean(doing)} className={buttonClass(look, className)}>
      {doing ? (
        <>
          <LoaderCircle aria-hidden className="size-4 animate-spin" />
          {doing}
        </>
      ) : (
        children
      )}
    </AriaButton>
  );
}

interface AnchorProps extends AnchorHTMLAttributes<HTMLAnchorElement> {
  look?: Look;
}

const Anchor = forwardRef<HTMLAnchorElement, AnchorProps>(function Anchor({ look, className = "", ...rest }, ref) {
  return <a ref={ref} {...rest} className={buttonClass(look, className)} />;
});

const LinkedAnchor = createLink(Anchor);

/** A link within the product that looks like a button. */
export const ButtonLink: LinkComponent<typeof Anchor> = (props) => <LinkedAnchor preload="intent" {...props} />;
