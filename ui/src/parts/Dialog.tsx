import { X } from "lucide-react";
import type { ReactNode } from "react";
import { Button as AriaButton, Dialog as AriaDialog, Heading, Modal, ModalOverlay } from "react-aria-components";

/** A dialog over the page; Escape and a press outside close it, focus goes back to where it was. */
export function Dialog({
  title,
  isOpen,
  onClose,
  children,
  wide = false,
}: {
  title: string;
  isOpen: boolean;
  onClose: () => void;
  children: ReactNode;
  wide?: boolean;
}) {
  return (
    <ModalOverlay
      isOpen={isOpen}
      onOpenChange={(open) => !open && onClose()}
      isDismissable
      className="fixed inset-0 z-40 grid place-items-center overflow-auto bg-black/45 p-3"
    >
      <Modal className={`panel w-full shadow-xl ${wide ? "max-w-3xl" : "max-w-lg"}`}>
        <AriaDialog className="p-5 outline-none">
          <div className="mb-4 flex items-start justify-between gap-4">
            <Heading slot="title" className="text-xl">
              {title}
            </Heading>
            <AriaButton onPress={onClose} aria-label="Close" className="rounded p-1 text-muted hover:text-ink">
              <X aria-hidden className="size-5" />
            </AriaButton>
          </div>
          {children}
        </AriaDialog>
      </Modal>
    </ModalOverlay>
  );
}
