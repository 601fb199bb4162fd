import { isErrorFromAlias } from '@zodios/core';
import { createApiClient } from './api.ts';

const { API_URL = 'http://localhost:8000', TOKEN } = process.env;
const headers = { Authorization: `Bearer ${TOKEN}` };
const api = createApiClient(API_URL, { axiosConfig: { headers } });
try {
    const { item } = await api.createTodo({ item: { name: 'Sing' } });
    console.log(`created ${item.id}: ${item.name}`);
} catch (error) {
    if (!isErrorFromAlias(api.api, 'createTodo', error)) throw error;
    throw new Error(`${error.response.data.code}: ${error.response.data.detail}`);
}
