import { Button, Label, ListBox, ListBoxItem, Popover, Select, SelectValue, Text } from 'react-aria-components';

interface ChoiceProps {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly options: readonly { readonly id: string; readonly title: string }[];
  readonly hint?: string;
  readonly disabled?: boolean;
}

/** One of a few, as a listbox that the keyboard opens and searches. */
export function Choice({ label, value, onChange, options, hint, disabled = false }: ChoiceProps) {
  return (
    <Select
      className="field"
      selectedKey={value}
      onSelectionChange={(key) => onChange(String(key))}
      isDisabled={disabled}
    >
      <Label>{label}</Label>
      <Button className="select-button">
        <SelectValue />
      </Button>
      {hint !== undefined && (
        <Text slot="description" className="hint">
          {hint}
        </Text>
      )}
      <Popover className="popover">
        <ListBox items={options}>
          {(option) => (
            <ListBoxItem id={option.id} textValue={option.title} className="option">
              {option.title}
            </ListBoxItem>
          )}
        </ListBox>
      </Popover>
    </Select>
  );
}
