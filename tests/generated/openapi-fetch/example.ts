import createClient from 'openapi-fetch';
import type { paths } from './api.d.ts';

const { API_URL = 'http://localhost:8000', TOKEN } = process.env;
const api = createClient<paths>({
    baseUrl: API_URL,
    headers: { Authorization: `Bearer ${TOKEN}` },
});
const { data, error } = await api.POST('/todoitems', { body: { item: { name: 'Sing' } } });
if (error) throw new Error(`${error.code}: ${error.detail}`);
console.log(`created ${data.item.id}: ${data.item.name}`);
