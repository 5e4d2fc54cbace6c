import { type FormEvent, useState } from 'react';
import { useChange } from '../../api/hooks.ts';
import { Check } from '../../components/check.tsx';
import { Choice } from '../../components/choice.tsx';
import { Overlay } from '../../components/dialog.tsx';
import { Field, FormFoot } from '../../components/form.tsx';
import type { FormField, Kind, Known } from './kinds.ts';

type Values = Readonly<Record<string, string>>;

/** A form for one of the network's kinds, as its table of fields says; the server judges every field. */
export function Create({ kind, known, onClose }: { kind: Kind; known: Known; onClose: () => void }) {
  const [values, setValues] = useState<Values>({});
  const create = useChange();
  const set = (name: string) => (value: string) => setValues((before) => ({ ...before, [name]: value }));
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const body = Object.fromEntries(kind.fields.flatMap((field) => entryOf(field, values[field.name] ?? '')));
    create.mutate({ method: 'POST', path: kind.path, body, onDone: onClose });
  };
  return (
    <Overlay title={`New ${kind.noun}`} open onClose={onClose}>
      <form className="form" onSubmit={submit}>
        {kind.fields.map((field, index) => (
          <Input
            key={field.name}
            field={field}
            value={values[field.name] ?? ''}
            onChange={set(field.name)}
            known={known}
            problem={create.error}
            first={index === 0}
          />
        ))}
        <FormFoot
          action="Make it"
          problem={create.error}
          fields={kind.fields.map(({ name }) => name)}
          disabled={create.isPending}
          onCancel={onClose}
        />
      </form>
    </Overlay>
  );
}

interface InputProps {
  readonly field: FormField;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly known: Known;
  readonly problem: ReturnType<typeof useChange>['error'];
  readonly first: boolean;
}

function Input({ field, value, onChange, known, problem, first }: InputProps) {
  const { name, label, hint, placeholder, required = false } = field;
  if (field.type === 'flag')
    return (
      <div className="wide">
        <Check checked={value === 'true'} onChange={(checked) => onChange(String(checked))}>
          {label}
        </Check>
      </div>
    );
  if (field.choices !== undefined)
    return (
      <Choice
        label={label}
        value={value}
        onChange={onChange}
        options={[{ id: '', title: required ? 'Choose' : '–' }, ...field.choices(known)]}
        {...(hint !== undefined && { hint })}
      />
    );
  return (
    <Field
      label={label}
      name={name}
      value={value}
      onChange={onChange}
      required={required}
      problem={problem}
      autoFocus={first}
      {...(hint !== undefined && { hint })}
      {...(placeholder !== undefined && { placeholder })}
    />
  );
}

/** What is empty is left out, so that the server's own default counts. */
function entryOf({ name, type = 'text' }: FormField, value: string): [string, unknown][] {
  if (value.trim() === '') return [];
  if (type === 'number') return [[name, Number(value)]];
  if (type === 'list') return [[name, value.split(/[\s,]+/).filter(Boolean)]];
  return [[name, type === 'flag' ? value === 'true' : value.trim()]];
}
