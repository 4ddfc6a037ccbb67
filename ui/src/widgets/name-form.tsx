/** A form of one field: what something is called, or is to be called. */
import { useState } from 'preact/hooks';
import { ActingForm } from './acting-form';
import { Field } from './field';

interface Props {
  title: string;
  does: string;
  label?: string;
  hint: string;
  placeholder?: string;
  /** What it is called; empty: it is new. */
  name?: string;
  /** What to say when it is done. */
  onName: (name: string) => Promise<string | undefined>;
}

export function NameForm({ title, does, label = 'Name', hint, placeholder = '', name: was = '', onName }: Props) {
  const [name, setName] = useState(was);
  return (
    <ActingForm
      does={does}
      {...(was === '' ? { look: 'main' as const } : {})}
      ready={name !== '' && name !== was}
      onGo={async () => {
        const said = await onName(name);
        if (was === '') setName('');
        return said;
      }}
    >
      {(wrong) => (
        <>
          <h2>{title}</h2>
          <Field
            label={label}
            required
            maxLength={63}
            autocomplete="off"
            placeholder={placeholder}
            hint={hint}
            value={name}
            wrong={wrong('name')}
            onText={setName}
          />
        </>
      )}
    </ActingForm>
  );
}
