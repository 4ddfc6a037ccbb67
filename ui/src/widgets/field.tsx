/** A field with its label above it and, if it is at fault, what is wrong below. */
import { useId } from 'preact/hooks';

interface Props {
  label: string;
  type?: 'text' | 'email' | 'password';
  value: string;
  hint?: string;
  wrong?: string | null;
  autocomplete: string;
  placeholder?: string;
  inputMode?: 'decimal';
  required?: boolean;
  autoFocus?: boolean;
  minLength?: number;
  maxLength?: number;
  onText: (text: string) => void;
}

export function Field({ label, type = 'text', value, hint, wrong = null, onText, ...rest }: Props) {
  const id = useId();
  const said = wrong ?? hint;
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        {...rest}
        {...({ type } as { type: 'text' })}
        id={id}
        value={value}
        aria-invalid={wrong !== null}
        aria-describedby={said === undefined ? undefined : `${id}-said`}
        onInput={(event) => {
          onText(event.currentTarget.value);
        }}
      />
      {said !== undefined && (
        <p id={`${id}-said`} class={wrong === null ? 'mute' : 'bad'} role={wrong === null ? undefined : 'alert'}>
          {said}
        </p>
      )}
    </div>
  );
}

interface ChoiceProps<T> {
  label: string;
  of: readonly (readonly [value: T, text: string])[];
  /** Without one: the first. */
  value?: T;
  onChoose: (value: T) => void;
}

/** One of few, with its label above. */
export function Choice<T>({ label, of, value, onChoose }: ChoiceProps<T>) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <select
        id={id}
        onChange={(event) => {
          const chosen = of[event.currentTarget.selectedIndex];
          if (chosen) onChoose(chosen[0]);
        }}
      >
        {of.map(([each, text]) => (
          <option key={text} value={String(each)} selected={each === value}>
            {text}
          </option>
        ))}
      </select>
    </div>
  );
}

interface NewPasswordProps {
  label: string;
  hint: string;
  value: string;
  wrong: string | null;
  onText: (text: string) => void;
}

/** As the server takes it. */
export function NewPassword(props: NewPasswordProps) {
  return <Field type="password" autocomplete="new-password" required minLength={10} maxLength={512} {...props} />;
}
