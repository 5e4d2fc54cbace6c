import type { ReactNode } from 'react';
import { useState } from 'react';
import { Button, Dialog, Heading, Modal, ModalOverlay } from 'react-aria-components';
import type { Problem } from '../api/client.ts';
import { Field, FormProblem } from './form.tsx';

/** A dialog that opens over the page; Escape and a click outside close it, and focus returns to where it was. */
export function Overlay(props: { title: string; open: boolean; onClose: () => void; children: ReactNode }) {
  return (
    <ModalOverlay
      className="overlay"
      isOpen={props.open}
      onOpenChange={(open) => !open && props.onClose()}
      isDismissable
    >
      <Modal className="dialog">
        <Dialog>
          <Heading slot="title" level={2}>
            {props.title}
          </Heading>
          {props.children}
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}

interface ConfirmProps {
  readonly title: string;
  /** What will happen, before it does. */
  readonly consequence: ReactNode;
  readonly action: string;
  /** Must be typed before the action can be taken. */
  readonly word?: string;
  readonly open: boolean;
  readonly busy: boolean;
  readonly problem: Problem | null;
  readonly onClose: () => void;
  readonly onConfirm: () => void;
  readonly children?: ReactNode;
}

export function Confirm(props: ConfirmProps) {
  const [typed, setTyped] = useState('');
  const ready = props.word === undefined || typed.trim() === props.word;
  return (
    <Overlay title={props.title} open={props.open} onClose={props.onClose}>
      <div>{props.consequence}</div>
      {props.children}
      {props.word !== undefined && <Field label={`Type ${props.word} to confirm`} value={typed} onChange={setTyped} />}
      <FormProblem problem={props.problem} />
      <div className="actions">
        <Button className="button danger primary" isDisabled={!ready || props.busy} onPress={props.onConfirm}>
          {props.busy ? 'Working…' : props.action}
        </Button>
        <Button className="button" onPress={props.onClose}>
          Cancel
        </Button>
      </div>
    </Overlay>
  );
}
