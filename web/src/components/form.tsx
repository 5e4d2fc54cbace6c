import type { ReactNode } from 'react';
import { Button, FieldError, Input, Label, Text, TextArea, TextField } from 'react-aria-components';
import type { Problem } from '../api/client.ts';

interface FieldProps {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly hint?: ReactNode;
  readonly placeholder?: string;
  readonly required?: boolean;
  readonly secret?: boolean;
  readonly lines?: number;
  /** The API's name for this field: a problem that names it is shown here. */
  readonly name?: string;
  readonly problem?: Problem | null | undefined;
  readonly autoFocus?: boolean;
}

/** A text field with its label, hint, and the server's own words when it refuses the value. */
export function Field(props: FieldProps) {
  const wrong = props.problem?.errors.find(({ field }) => field !== undefined && field === props.name)?.detail;
  return (
    <TextField
      className={`field ${props.lines === undefined ? '' : 'wide'}`}
      value={props.value}
      onChange={props.onChange}
      isRequired={props.required === true}
      isInvalid={wrong !== undefined}
      type={props.secret === true ? 'password' : 'text'}
      // The server refuses a value; trying again must stay possible.
      validationBehavior="aria"
      autoComplete="off"
      autoFocus={props.autoFocus === true}
    >
      <Label>{props.label}</Label>
      {props.lines === undefined ? (
        <Input placeholder={props.placeholder} />
      ) : (
        <TextArea rows={props.lines} placeholder={props.placeholder} />
      )}
      {props.hint !== undefined && (
        <Text slot="description" className="hint">
          {props.hint}
        </Text>
      )}
      <FieldError className="error">{wrong}</FieldError>
    </TextField>
  );
}

/** What a refused form says that belongs to none of its fields. */
export function FormProblem({ problem, fields = [] }: { problem: Problem | null; fields?: readonly string[] }) {
  if (problem === null) return null;
  const elsewhere = problem.errors.filter(({ field }) => field === undefined || !fields.includes(field));
  if (problem.errors.length > 0 && elsewhere.length === 0) return null;
  return (
    <div className="notice bad" role="alert">
      <strong>{problem.message}</strong>
      {elsewhere.length > 1 && elsewhere.map(({ detail }) => <span key={detail}>{detail}</span>)}
      {problem.missingPermission !== undefined && (
        <span>
          Ask for the permission <code>{problem.missingPermission}</code>.
        </span>
      )}
      {problem.advice !== undefined && <span>{problem.advice}</span>}
    </div>
  );
}

interface FormFootProps {
  readonly action: string;
  readonly problem: Problem | null;
  /** Fields of the form that show their own problems. */
  readonly fields: readonly string[];
  readonly disabled: boolean;
  readonly onCancel: () => void;
}

/** How every form in a dialog ends: what was refused as a whole, the action, and the way out. */
export function FormFoot({ action, problem, fields, disabled, onCancel }: FormFootProps) {
  return (
    <>
      <div className="wide">
        <FormProblem problem={problem} fields={fields} />
      </div>
      <div className="actions wide">
        <Button type="submit" className="button primary" isDisabled={disabled}>
          {action}
        </Button>
        <Button className="button" onPress={onCancel}>
          Cancel
        </Button>
      </div>
    </>
  );
}
