import tseslint from 'typescript-eslint';

export default tseslint.config({ ignores: ['dist', 'node_modules'] }, ...tseslint.configs.strict, {
  rules: {
    eqeqeq: 'error',
    'no-restricted-properties': ['error', { property: 'innerHTML', message: 'text goes through Preact only' }],
    'no-restricted-syntax': [
      'error',
      {
        selector: "JSXAttribute[name.name='dangerouslySetInnerHTML']",
        message: 'text goes through Preact only',
      },
    ],
  },
});
