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
