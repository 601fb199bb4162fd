import { client } from './client/client.gen.ts';
import { createTodo } from './client/index.ts';

const { API_URL = 'http://localhost:8000', TOKEN } = process.env;
client.setConfig({ baseUrl: API_URL, auth: TOKEN });
const { data, error } = await createTodo({ body: { item: { name: 'Sing' } } });
if (error) throw new Error(`${error.code}: ${error.detail}`);
console.log(`created ${data.item.id}: ${data.item.name}`);
