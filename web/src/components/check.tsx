import type { ReactNode } from 'react';
import { Checkbox } from 'react-aria-components';

interface CheckProps {
  readonly checked: boolean;
  readonly onChange: (checked: boolean) => void;
  readonly disabled?: boolean;
  readonly children: ReactNode;
}

export function Check({ checked, onChange, disabled = false, children }: CheckProps) {
  return (
    <Checkbox className="checkbox" isSelected={checked} onChange={onChange} isDisabled={disabled}>
      <span className="box" aria-hidden="true" />
      <span>{children}</span>
    </Checkbox>
  );
}
